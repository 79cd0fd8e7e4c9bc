import type { Pool } from "./stored-pool.ts";

/**
 * XML of a folder without `<permissions>` by formatPool(), with name and path written as they are, without
 * references.
 */
const PLAIN =
  /^<pool type='dir'>\n {2}<name>([\w.+@-]+)<\/name>\n {2}<uuid>([\da-f-]{36})<\/uuid>\n {2}<capacity unit='bytes'>0<\/capacity>\n {2}<allocation unit='bytes'>0<\/allocation>\n {2}<available unit='bytes'>0<\/available>\n {2}<source>\n {2}<\/source>\n {2}<target>\n {4}<path>(\/[\w.+@:/-]+)<\/path>\n {2}<\/target>\n<\/pool>\n$/;
/** Forbidden names of a pool, forbidden or dropped parts of a path, and UUIDs for none. */
const [NO_NAME, NO_PART, NO_UUID] = [/^[.]{1,2}$/, /\/[.]{0,2}(?:\/|$)/, /^(?:[0-]+|[f-]+)$/];
/** A longer name or path is left to the form, which counts bytes. */
const [LONGEST_NAME, LONGEST_PATH] = [200, 4000];
const HYPHENS = [8, 13, 18, 23];

/**
 * Reads the XML of a folder in svirt's exact stored form of most pools, as parsePool() does. Returns
 * undefined for any other text. It has no counted groups: they take longer to compile than all of this.
 */
export function readPlainFolder(xml: string): Pool | undefined {
  const [, name = "", uuid = "", path = ""] = PLAIN.exec(xml) ?? [];
  if (path === "" || path.length > LONGEST_PATH || NO_PART.test(path)) return undefined;
  if (name.length > LONGEST_NAME || NO_NAME.test(name) || !isUuid(uuid)) return undefined;
  return { type: "dir", name, uuid, source: { hosts: [], devices: [] }, target: { path } };
}

function isUuid(text: string): boolean {
  const isSpaced = text.split("-").length === HYPHENS.length + 1 && HYPHENS.every((at) => text[at] === "-");
  return isSpaced && !NO_UUID.test(text);
}
