import type { Pool } from "./keep-pool.ts";

/** XML that formatPool() writes of a folder without `<permissions>`, whose name and path are written as they are, without references. */
const PLAIN =
  /^<pool type='dir'>\n {2}<name>([\w.+@-]{1,200})<\/name>\n {2}<uuid>([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})<\/uuid>\n {2}<capacity unit='bytes'>0<\/capacity>\n {2}<allocation unit='bytes'>0<\/allocation>\n {2}<available unit='bytes'>0<\/available>\n {2}<source>\n {2}<\/source>\n {2}<target>\n {4}<path>((?:\/[\w.+@:-]{1,255}){1,15})<\/path>\n {2}<\/target>\n<\/pool>\n$/;
/** Names that a file or a pool cannot have, and UUIDs that stand for none. */
const SPECIAL = /(?:^|\/)[.]{1,2}(?:\/|$)/;
const NO_UUID = /^(?:[0-]+|[f-]+)$/;

/** Reads the XML of a folder in the exact form in which svirt stores most pools, as parsePool() does. Returns undefined for any other text. */
export function readPlainFolder(xml: string): Pool | undefined {
  const [, name = "", uuid = "", path = ""] = PLAIN.exec(xml) ?? [];
  if (path === "" || SPECIAL.test(name) || SPECIAL.test(path) || NO_UUID.test(uuid)) return undefined;
  return { type: "dir", name, uuid, source: { hosts: [], devices: [] }, target: { path } };
}
