import { execFile } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import type { Network, Site } from "./network.ts";

const run = promisify(execFile);
const ip = (...args: string[]) => run("ip", args);

/** The address at which this machine is reached from all namespaces. Of a range that no network uses (RFC 2544, for tests of network devices). */
const HOST = "10.213.255.1";
const PREFIX = `frc${process.pid % 10_000}`;

/**
 * Servers in network namespaces of their own, each with a cable to this machine. With iptables a pulled cable drops the packets of the database's connections
 * in silence, both ways; without it the whole cable goes. `missing` says what this machine lacks.
 */
export async function openNetworkSpaces(): Promise<Network | { missing: string }> {
  if (process.getuid?.() !== 0) return { missing: "network namespaces need root; run it with sudo." };
  if (!(await works("ip", "-V"))) return { missing: 'the command "ip" is not there; install iproute2.' };
  if (!(await works("ip", "netns", "add", `${PREFIX}probe`)))
    return {
      missing: "this machine lets nobody make network namespaces (ip netns add fails); a container needs the capability SYS_ADMIN.",
    };
  await ip("netns", "del", `${PREFIX}probe`);
  const filters = await works("iptables", "--version");
  await ip("addr", "add", `${HOST}/32`, "dev", "lo");
  const spaces: string[] = [];
  return {
    host: HOST,
    async site(name, databasePort): Promise<Site> {
      const number = spaces.length + 1;
      const space = `${PREFIX}n${number}`;
      spaces.push(space);
      const [here, there] = [`10.213.${number}.1`, `10.213.${number}.2`];
      const [device, inner] = [`${PREFIX}h${number}`, `${PREFIX}c${number}`];
      await ip("netns", "add", space);
      await ip("link", "add", device, "type", "veth", "peer", "name", inner);
      await ip("link", "set", inner, "netns", space);
      await ip("addr", "add", `${here}/30`, "dev", device);
      await ip("link", "set", device, "up");
      const inside = (...args: string[]) => ip("netns", "exec", space, ...args);
      await inside("ip", "addr", "add", `${there}/30`, "dev", inner);
      await inside("ip", "link", "set", "lo", "up");
      const connect = async () => {
        await inside("ip", "link", "set", inner, "up");
        await inside("ip", "route", "add", "default", "via", here);
      };
      await connect();
      await reached(inside, here, name);
      const port = String(databasePort);
      const drops = [
        ["INPUT", "-p", "tcp", "--sport", port, "-j", "DROP"],
        ["OUTPUT", "-p", "tcp", "--dport", port, "-j", "DROP"],
      ];
      return {
        host: there,
        within: ["ip", "netns", "exec", space],
        cable: filters
          ? {
              pull: async () => void (await Promise.all(drops.map((rule) => inside("iptables", "-w", "-A", ...rule)))),
              plug: async () => void (await inside("iptables", "-w", "-F")),
            }
          : { pull: async () => void (await inside("ip", "link", "set", inner, "down")), plug: connect },
      };
    },
    async close() {
      for (const space of spaces) await ip("netns", "del", space).catch(() => {});
      await ip("addr", "del", `${HOST}/32`, "dev", "lo").catch(() => {});
    },
  };
}

async function works(command: string, ...args: string[]): Promise<boolean> {
  return run(command, args).then(
    () => true,
    () => false,
  );
}

/** A new cable takes a moment. */
async function reached(inside: (...args: string[]) => Promise<unknown>, address: string, name: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await inside("ip", "route", "get", address);
      return;
    } catch (error) {
      if (tries > 50) throw new Error(`The namespace of ${name} does not reach ${address}.`, { cause: error });
      await pause(50);
    }
  }
}
