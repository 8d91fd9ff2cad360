import type { SharedV4Warning } from "@ai-sdk/provider";

/** What the library had to leave out or change, in a sentence. */
export function describeWarning(warning: SharedV4Warning): string {
  switch (warning.type) {
    case "unsupported":
      return `${warning.feature} is not supported by this model and was left out${warning.details ? `: ${warning.details}` : ""}`;
    case "compatibility":
      return `${warning.feature}: ${warning.details ?? "used in a compatibility mode"}`;
    case "deprecated":
      return `${warning.setting} is deprecated: ${warning.message}`;
    case "other":
      return warning.message;
  }
}
