import type { Pool } from "./stored-pool.ts";

/** XML that formatPool() writes of a folder without `<permissions>`, whose name and path are written as they are, without references. */
const PLAIN =
  /^<pool type='dir'>\n {2}<name>([\w.+@-]+)<\/name>\n {2}<uuid>([\da-f-]{36})<\/uuid>\n {2}<capacity unit='bytes'>0<\/capacity>\n {2}<allocation unit='bytes'>0<\/allocation>\n {2}<available unit='bytes'>0<\/available>\n {2}<source>\n {2}<\/source>\n {2}<target>\n {4}<path>(\/[\w.+@:/-]+)<\/path>\n {2}<\/target>\n<\/pool>\n$/;
/** Names that a pool cannot have, parts that a path cannot have or that are not kept, and UUIDs that stand for none. */
const [NO_NAME, NO_PART, NO_UUID] = [/^[.]{1,2}$/, /\/[.]{0,2}(?:\/|$)/, /^(?:[0-]+|[f-]+)$/];
/** A longer name or path is left to the form, which counts bytes. */
const [LONGEST_NAME, LONGEST_PATH] = [200, 4000];
const HYPHENS = [8, 13, 18, 23];

/**
 * Reads the XML of a folder in the exact form in which svirt stores most pools, as parsePool() does. Returns undefined for any other text. It has no counted
 * groups, which take longer to compile than all of this.
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
