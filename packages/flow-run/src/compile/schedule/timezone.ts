import { suggest } from "@flow-run/spec";

/** Whether this is a name of the IANA time zone database that this machine knows; `UTC` is one, an offset such as `+02:00` is none. */
export function isTimezone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** The zone that was probably meant, also by its city alone. */
export function suggestTimezone(name: string): string | undefined {
  const zones = ["UTC", ...Intl.supportedValuesOf("timeZone")];
  const wanted = cityOf(name).toLowerCase().replaceAll(/[ -]/g, "_");
  const sameCity = zones.find((zone) => cityOf(zone).toLowerCase() === wanted);
  if (sameCity !== undefined) return sameCity;
  const city = suggest(wanted, zones.map(cityOf));
  return suggest(name, zones) ?? zones.find((zone) => cityOf(zone) === city);
}

function cityOf(zone: string): string {
  return zone.slice(zone.lastIndexOf("/") + 1);
}

/** A function from an instant to the zone's offset there, both in milliseconds: local time = instant + offset. Throws RangeError for an unknown zone. */
export function offsetsOf(timezone: string): (instantMs: number) => number {
  const format = new Intl.DateTimeFormat("en-US", { timeZone: timezone, timeZoneName: "longOffset" });
  return (instantMs) => {
    const text = format.formatToParts(instantMs).find((part) => part.type === "timeZoneName")!.value;
    const [, sign, hours, minutes, seconds = "0"] = /([+-])(\d\d):(\d\d)(?::(\d\d))?/.exec(text) ?? [];
    if (sign === undefined) return 0;
    const size = (Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds)) * 1_000;
    return sign === "-" ? -size : size;
  };
}
