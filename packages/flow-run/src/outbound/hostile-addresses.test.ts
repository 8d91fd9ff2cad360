import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createOutbound, type Outbound } from "./index.ts";

/** Every way to write this machine, a private network or a cloud's own services. */
const FORBIDDEN = [
  "http://127.0.0.1/",
  "http://2130706433/",
  "http://0x7f.1/",
  "http://127.1/",
  "http://0177.0.0.1/",
  "http://0/",
  "http://127.0.0.1./",
  "http://①②⑦.⓪.⓪.①/",
  "http:/\\127.0.0.1/",
  "http://%31%32%37.0.0.1/",
  "http://[::1]/",
  "http://[::]/",
  "http://[::ffff:7f00:1]/",
  "http://[::ffff:127.0.0.1]/",
  "http://[::127.0.0.1]/",
  "http://[64:ff9b::7f00:1]/",
  "http://[64:ff9b:1::a00:1]/",
  "http://[2002:7f00:1::]/",
  "http://[2001:0:1::1]/",
  "http://[fe80::1]/",
  "http://[fec0::1]/",
  "http://[fd00::1]/",
  "http://[fc00::1]/",
  "http://[ff02::1]/",
  "http://[4000::1]/",
  "http://10.0.0.1/",
  "http://172.16.0.1/",
  "http://172.31.255.255/",
  "http://192.168.1.1/",
  "http://100.64.0.1/",
  "http://169.254.169.254/latest/meta-data/",
  "http://[::ffff:169.254.169.254]/",
  "http://0.1.2.3/",
  "http://192.0.0.1/",
  "http://198.18.0.1/",
  "http://224.0.0.1/",
  "http://240.0.0.1/",
  "http://255.255.255.255/",
  "http://localhost/",
  "http://localhost./",
  "http://LOCALHOST/",
  "http://app.localhost/",
  "https://127.0.0.1/",
];

const BAD: [url: string, code: string][] = [
  ["http://user:secret@example.com/", "bad-request"],
  ["http://a@127.0.0.1/", "bad-request"],
  ["file:///etc/passwd", "bad-request"],
  ["data:text/plain,x", "bad-request"],
  ["gopher://example.com/", "bad-request"],
  ["ftp://example.com/", "bad-request"],
  ["unix:/var/run/docker.sock", "bad-request"],
  ["javascript:alert(1)", "bad-request"],
  ["/relative", "bad-request"],
  ["", "bad-request"],
  ["http://", "bad-request"],
  ["http://[::1", "bad-request"],
  ["http://example.com:22/", "address-not-allowed"],
  ["http://example.com:25/", "address-not-allowed"],
  ["http://example.com:5432/", "address-not-allowed"],
  ["http://example.com:6379/", "address-not-allowed"],
  ["https://example.com:11211/", "address-not-allowed"],
];

/** A name service of the test's own; each question takes the next answer. */
function resolver(...answers: string[][]) {
  const asked: string[] = [];
  return {
    asked,
    async resolve(hostname: string) {
      const answer = answers[Math.min(asked.length, answers.length - 1)]!;
      asked.push(hostname);
      return answer.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
    },
  };
}

describe("addresses that no request may reach", () => {
  let port = 0;
  let reached = 0;
  const server = createServer((_request, response) => {
    reached++;
    response.end("inside");
  });
  const opened: Outbound[] = [];
  const outbound = (options: Parameters<typeof createOutbound>[0]) => {
    opened.push(createOutbound(options));
    return opened.at(-1)!;
  };

  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    ({ port } = server.address() as AddressInfo);
  });
  afterAll(async () => {
    await Promise.all(opened.map((one) => one.close()));
    server.close();
  });

  test.each(FORBIDDEN)("%s is refused", async (url) => {
    await expect(outbound({ allowPrivateNetwork: false }).request({ method: "GET", url })).rejects.toMatchObject({
      code: "address-not-allowed",
      retryable: false,
    });
  });

  test.each(BAD)("%s is refused: %s", async (url, code) => {
    const answer = outbound({ allowPrivateNetwork: true }).request({ method: "GET", url });
    await expect(answer).rejects.toMatchObject({ code, retryable: false });
    await expect(answer).rejects.not.toThrow(/secret/);
  });

  test.each(["127.0.0.1", "::ffff:127.0.0.1", "169.254.169.254", "10.1.2.3", "fd00::1"])(
    "a name that resolves to %s is refused and not dialled",
    async (address) => {
      const request = outbound({ allowPrivateNetwork: false, resolve: resolver([address]).resolve });
      await expect(request.request({ method: "GET", url: `http://rebind.example:${port}/` })).rejects.toMatchObject({
        code: "address-not-allowed",
        message: expect.stringContaining("rebind.example"),
      });
      expect(reached).toBe(0);
    },
  );

  test("one private address among several refuses the name", async () => {
    const { resolve } = resolver(["93.184.215.14", "127.0.0.1"]);
    const answer = outbound({ allowPrivateNetwork: false, resolve }).request({ method: "GET", url: `http://two.example:${port}/` });
    await expect(answer).rejects.toMatchObject({ code: "address-not-allowed" });
    expect(reached).toBe(0);
  });

  test("the address that was checked is the one that is dialled: a second answer of the name service is never asked for", async () => {
    // A second answer would be refused, so that a second question would show as a failure.
    const names = resolver(["127.0.0.1"], ["10.0.0.1"]);
    const answer = await outbound({ allowPrivateNetwork: "loopback", resolve: names.resolve }).request({
      method: "GET",
      url: `http://once.example:${port}/`,
    });
    expect(answer.status).toBe(200);
    expect(names.asked).toEqual(["once.example"]);
  });

  test("this machine may be permitted without its networks, and link-local addresses never are", async () => {
    const loopback = outbound({ allowPrivateNetwork: "loopback" });
    expect((await loopback.request({ method: "GET", url: `http://127.0.0.1:${port}/` })).status).toBe(200);
    await expect(loopback.request({ method: "GET", url: "http://10.0.0.1/" })).rejects.toMatchObject({ code: "address-not-allowed" });
    const everything = outbound({ allowPrivateNetwork: true });
    for (const url of ["http://169.254.169.254/", "http://[fe80::1]/", "http://0.0.0.0/", "http://224.0.0.1/"]) {
      await expect(everything.request({ method: "GET", url })).rejects.toMatchObject({ code: "address-not-allowed" });
    }
  });
});
