import fs from "node:fs";
import path from "node:path";

const root = process.env["SVIRT_TEST_DATA"];

/** Folders of libvirt's tests/ with recorded networks and storage pools. */
export type RecordedFolder =
  | "networkxml2confdata"
  | "networkxml2xmlin"
  | "networkxml2xmlout"
  | "networkxml2xmlupdatein"
  | "networkxml2xmlupdateout"
  | "storagepoolxml2xmlin"
  | "storagepoolxml2xmlout";

/** Lists the names of the recorded files with this ending, without it; none if the data lacks the folder. */
export function listRecorded(folder: RecordedFolder, ending: string): readonly string[] {
  if (!hasRecorded(folder)) return [];
  const files = fs.readdirSync(folderOf(folder)).filter((name) => name.endsWith(ending));
  return files.map((name) => name.slice(0, -ending.length)).toSorted();
}

/** Whether the data has the folder. */
export function hasRecorded(folder: RecordedFolder): boolean {
  return root !== undefined && fs.existsSync(folderOf(folder));
}

/** Returns the reason for a skip, for the name of a test. */
export function whySkipped(folder: RecordedFolder): string {
  if (hasRecorded(folder)) return "";
  return root === undefined
    ? " (skipped: SVIRT_TEST_DATA is not set)"
    : ` (skipped: the data has no ${folder})`;
}

/** Returns the bytes of a recorded file. */
export function readRecorded(folder: RecordedFolder, name: string): Uint8Array {
  return fs.readFileSync(path.join(folderOf(folder), name));
}

/** Returns the text of a recorded file, or undefined without it. */
export function readIfRecorded(folder: RecordedFolder, name: string): string | undefined {
  const file = path.join(folderOf(folder), name);
  return fs.existsSync(file) ? fs.readFileSync(file, "utf8") : undefined;
}

function folderOf(folder: RecordedFolder): string {
  return path.join(root ?? "", "libvirt", folder);
}
