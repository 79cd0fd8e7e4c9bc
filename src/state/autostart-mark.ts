import type { Host } from "../host/host.ts";
import { ENDING } from "./xml-files.ts";

/** Mark of a definition that starts at boot: a symlink in a folder, as libvirt's. */
interface AutostartMark {
  readonly folder: string;
  readonly name: string;
  /** Path of the definition, relative to the folder. */
  readonly target: string;
  /** Ending of the mark's file. */
  readonly ending?: string;
}

/** Sets or removes a mark. A present mark stays: its replacement could be interrupted, and leave none. */
export function setAutostartMark(host: Host, mark: AutostartMark, wanted: boolean): void {
  const { ending = ENDING, folder, name, target } = mark;
  const path = `${folder}/${name}${ending}`;
  if (!wanted) {
    host.removeFile(path);
    return;
  }
  host.makeFolder({ path: folder, mode: 0o700 });
  if (!hasAutostartMark(host, mark)) host.makeSymlink(path, target);
}

/** Returns whether a definition has a mark in a folder. */
export function hasAutostartMark(
  host: Host,
  { ending = ENDING, folder, name }: Omit<AutostartMark, "target">,
): boolean {
  return host.listFolder(folder).includes(`${name}${ending}`);
}
