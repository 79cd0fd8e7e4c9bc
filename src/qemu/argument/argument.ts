/** One option of the command line with its value, as two words. */
export type Words = readonly string[];

/** `-device {...}` and its like, in QEMU's JSON syntax; what is undefined is left out. A bigint is a plain number too. */
export function jsonWords(option: string, value: Readonly<Record<string, unknown>>): Words {
  const json = JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "bigint" ? `${BIG}${inner}` : inner,
  );
  return [option, json.replaceAll(/"\\u0000(\d+)"/g, "$1")];
}

/** No text of a domain begins with it: XML has no NUL. */
const BIG = "\0";

/** `a=b,c=d` in QEMU's older syntax, where a comma inside a value is doubled; what is undefined is left out. */
export function keyValues(
  pairs: readonly (readonly [key: string, value: string | number | undefined])[],
): string {
  return pairs
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${escapeCommas(String(value))}`)
    .join(",");
}

/** A comma would begin the next key. */
export function escapeCommas(text: string): string {
  return text.replaceAll(",", ",,");
}

/** QEMU's word for a switch. */
export function onOffWord(value: boolean): "on" | "off" {
  return value ? "on" : "off";
}
