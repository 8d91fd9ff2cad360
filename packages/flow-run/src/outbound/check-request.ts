import { isIP } from "node:net";
import { checkAddress, type NetworkPermission } from "./network-permission.ts";
import { OutboundError } from "./outbound-error.ts";

/** Ports of services that do not speak HTTP and might take a request for their own protocol: the list of the Fetch standard, and databases. */
const REFUSED_PORTS: ReadonlySet<number> = new Set([
  ...[
    1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110, 111, 113, 115, 117,
  ],
  ...[
    119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636,
  ],
  ...[
    989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
  ],
  ...[445, 873, 1433, 1521, 2375, 2376, 3306, 3389, 5432, 5672, 6379, 6432, 9042, 11211, 27017],
]);

/** Headers that describe the connection: whoever sets them decides where one request ends and the next begins, or whom it is for. */
const REFUSED_HEADERS: ReadonlySet<string> = new Set([
  "host",
  "content-length",
  "transfer-encoding",
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "upgrade",
  "expect",
]);

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Visible characters, blanks and tabs; beyond ASCII as Latin-1, as HTTP/1.1 sends it. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Throws OutboundError `bad-request` or `address-not-allowed`. Returns the URL without its fragment. */
export function checkUrl(text: string, permission: NetworkPermission): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new OutboundError("bad-request", "The URL of the request is not valid: write it out, for example https://example.com/path.");
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    throw new OutboundError("bad-request", `Requests speak http and https, not ${url.protocol.slice(0, -1)}.`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new OutboundError("bad-request", "The URL holds a user name or a password; send them in the header authorization.");
  }
  if (url.port !== "" && REFUSED_PORTS.has(Number(url.port))) {
    throw new OutboundError("address-not-allowed", `Port ${url.port} belongs to a service that does not speak HTTP.`);
  }
  url.hash = "";
  const host = url.hostname.replace(/^\[|\]$/g, "");
  // For an address no name is looked up, so that the lookup's check would never be asked.
  if (isIP(host) !== 0) checkAddress(host, host, permission);
  // This name means this machine, whatever a name service says.
  if (/^(.+\.)?localhost\.?$/.test(host)) checkAddress("127.0.0.1", host, permission);
  return url;
}

/** Names in lower case. Throws OutboundError `bad-request`. */
export function checkHeaders(headers: { readonly [name: string]: string }): { [name: string]: string } {
  const checked: { [name: string]: string } = Object.create(null);
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase();
    if (!TOKEN.test(name)) throw new OutboundError("bad-request", `${JSON.stringify(name.slice(0, 100))} cannot be the name of a header.`);
    if (REFUSED_HEADERS.has(lower)) throw new OutboundError("bad-request", `The header ${lower} is set by flow-run itself; leave it out.`);
    if (!HEADER_VALUE.test(value)) {
      throw new OutboundError(
        "bad-request",
        `The value of the header ${lower} holds a line break or another character that headers cannot carry.`,
      );
    }
    if (lower in checked) throw new OutboundError("bad-request", `The header ${lower} is given twice.`);
    checked[lower] = value;
  }
  return checked;
}

export function checkMethod(method: string): void {
  if (!/^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)$/.test(method)) {
    throw new OutboundError("bad-request", "The method of the request must be GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS.");
  }
}
