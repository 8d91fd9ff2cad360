/** Where one server runs. */
export interface Site {
  /** The address it listens on. */
  host: string;
  /** A command that puts it there; empty for this machine itself. */
  within: readonly string[];
  /** Its cable to the rest of the world; null where there is none to pull. */
  cable: { pull(): Promise<void>; plug(): Promise<void> } | null;
}

/** How the servers reach what they need. */
export interface Network {
  /** The address at which the simulators, the sink and the ways to the database listen. */
  host: string;
  /** A place for the server of this name. Databases are reached on `databasePort`. */
  site(name: string, databasePort: number): Promise<Site>;
  close(): Promise<void>;
}

/** All on this machine, over the loopback. */
export function loopback(): Network {
  return {
    host: "127.0.0.1",
    site: async () => ({ host: "127.0.0.1", within: [], cable: null }),
    close: async () => {},
  };
}
