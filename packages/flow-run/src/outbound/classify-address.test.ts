import { describe, expect, test } from "vitest";
import { classifyAddress } from "./classify-address.ts";

describe("the kind of an address", () => {
  test.each([
    ["8.8.8.8", "public"],
    ["172.15.255.255", "public"],
    ["172.32.0.1", "public"],
    ["100.63.255.255", "public"],
    ["100.128.0.1", "public"],
    ["192.167.255.255", "public"],
    ["::ffff:8.8.8.8", "public"],
    ["2606:2800:220:1:248:1893:25c8:1946", "public"],
    ["127.255.255.254", "loopback"],
    ["::1", "loopback"],
    ["::ffff:127.0.0.2", "loopback"],
    ["fe80::1%eth0", "never"],
    ["::", "never"],
    ["example.com", "never"],
    ["", "never"],
  ] as const)("%s is %s", (address, kind) => {
    expect(classifyAddress(address)).toBe(kind);
  });
});
