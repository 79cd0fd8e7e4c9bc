/** Arguments of QEMU: options with their values. */
export type Arguments = readonly string[];

/**
 * Formats `-device {...}` and similar options in QEMU's JSON syntax, without undefined values. A bigint
 * becomes a plain number.
 */
export function jsonArguments(option: string, value: Readonly<Record<string, unknown>>): Arguments {
  const json = JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "bigint" ? `${BIG}${inner}` : inner,
  );
  return [option, json.replaceAll(/"\\u0000(\d+)"/g, "$1")];
}

/** Marks a bigint. XML has no NUL, so no text of a domain begins with it. */
const BIG = "\0";

/** Formats `a=b,c=d` in QEMU's older syntax, without undefined values. A comma inside a value is doubled. */
export function keyValues(
  pairs: readonly (readonly [key: string, value: string | number | undefined])[],
): string {
  return pairs
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${escapeCommas(String(value))}`)
    .join(",");
}

/** Doubles commas, since a single comma begins the next key. */
export function escapeCommas(text: string): string {
  return text.replaceAll(",", ",,");
}

/** Returns QEMU's keyword for a boolean. */
export function onOffWord(value: boolean): "on" | "off" {
  return value ? "on" : "off";
}
