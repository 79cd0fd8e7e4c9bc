import type { Host } from "../host/host.ts";

/** Ending of files with XML. */
export const ENDING = ".xml";
/** Longest name of a file in bytes. NAME_MAX of linux/limits.h */
const MOST_BYTES = 255;
/** The UUID in the stored form, which svirt writes itself: the first element after the name. */
const STORED_UUID = /^ {2}<uuid>([0-9a-f-]{36})<\/uuid>$/m;

/** Whether an object of that name can have a file: any text may be asked for. */
export function canHaveFile(name: string): boolean {
  if (name.includes("/") || name.includes("\0")) return false;
  return new TextEncoder().encode(`${name}${ENDING}`).length <= MOST_BYTES;
}

/** Lists the names of the XML files in a folder, without their ending. */
export function listXmlFiles(host: Host, folder: string): string[] {
  const files = host.listFolder(folder).filter((file) => file.endsWith(ENDING));
  return files.map((file) => file.slice(0, -ENDING.length));
}

/** Compares two names for libvirt's order: it ignores case. */
export function compareNames(one: string, other: string): number {
  return one.toLowerCase().localeCompare(other.toLowerCase(), "en");
}

/** Returns the UUID of a stored document; undefined if it is not at the place where svirt writes it. */
export function storedUuid(xml: string): string | undefined {
  return STORED_UUID.exec(xml)?.[1];
}
