const UUID = /^[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;

/**
 * Returns a UUID in the form of definitions and records: lower case, with hyphens; undefined for any other
 * text.
 */
export function uuidOf(key: string): string | undefined {
  if (!UUID.test(key)) return undefined;
  const digits = key.replaceAll("-", "").toLowerCase();
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
