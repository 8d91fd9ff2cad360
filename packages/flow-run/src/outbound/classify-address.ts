import { BlockList, isIPv4, isIPv6 } from "node:net";

/**
 * - `public`: the internet
 * - `loopback`: this machine
 * - `private`: networks behind a router, and prefixes that translate into them (NAT64, 6to4, Teredo)
 * - `never`: what no request is meant for: unspecified, link-local (where clouds keep their credentials), multicast, reserved
 */
export type AddressClass = "public" | "loopback" | "private" | "never";

type Subnet = readonly [network: string, prefix: number];

const LOOPBACK = subnets([["127.0.0.0", 8]], [["::1", 128]]);

const PRIVATE = subnets(
  [
    ["10.0.0.0", 8],
    ["172.16.0.0", 12],
    ["192.168.0.0", 16],
    ["100.64.0.0", 10], // carrier-grade NAT
    ["192.0.0.0", 24], // protocol assignments
    ["192.0.2.0", 24], // documentation
    ["192.88.99.0", 24], // 6to4 relays
    ["198.18.0.0", 15], // benchmarks
    ["198.51.100.0", 24], // documentation
    ["203.0.113.0", 24], // documentation
  ],
  [
    ["fc00::", 7], // unique local
    ["fec0::", 10], // site-local, deprecated
    ["64:ff9b::", 96], // NAT64
    ["64:ff9b:1::", 48], // NAT64 of a network's own
    ["2001::", 23], // Teredo and other protocol assignments
    ["2001:db8::", 32], // documentation
    ["2002::", 16], // 6to4
    ["3fff::", 20], // documentation
  ],
);

const NEVER_V4 = subnets(
  [
    ["0.0.0.0", 8],
    ["169.254.0.0", 16],
    ["224.0.0.0", 4],
    ["240.0.0.0", 4],
  ],
  [],
);

/** All of IPv6 that is given to the internet. */
const GLOBAL_V6 = subnets([], [["2000::", 3]]);

/** IPv4 addresses in IPv6's clothes; the lists of IPv4 apply to them. */
const MAPPED_V4 = subnets([], [["::ffff:0:0", 96]]);

/** What kind of place an IP address is. Text that is no address is `never`. */
export function classifyAddress(address: string): AddressClass {
  // A zone (fe80::1%eth0) says which interface, not which address.
  const bare = address.replace(/%.*$/, "");
  const family = isIPv4(bare) ? "ipv4" : isIPv6(bare) ? "ipv6" : null;
  if (family === null) return "never";
  if (LOOPBACK.check(bare, family)) return "loopback";
  if (PRIVATE.check(bare, family)) return "private";
  if (NEVER_V4.check(bare, family)) return "never";
  if (family === "ipv4" || MAPPED_V4.check(bare, family)) return "public";
  return GLOBAL_V6.check(bare, family) ? "public" : "never";
}

function subnets(v4: readonly Subnet[], v6: readonly Subnet[]): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of v4) list.addSubnet(network, prefix, "ipv4");
  for (const [network, prefix] of v6) list.addSubnet(network, prefix, "ipv6");
  return list;
}
