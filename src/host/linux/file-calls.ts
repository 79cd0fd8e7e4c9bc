import type { Host } from "../host.ts";
import { makeFileWithin } from "./content/make-within.ts";
import { judgeBeginnings } from "./files/beginnings.ts";
import { textCalls } from "./files/durable-write.ts";
import * as files from "./files/files.ts";
import { inspectFile, withAttributes, withInspected } from "./files/inspect-file.ts";
import { isLocked, lock } from "./files/lock.ts";
import { removeSame } from "./files/remove-same.ts";
import { getPolicyName } from "./labels/selinux.ts";
import { getSelinuxMode } from "./system/selinux-mode.ts";

const CALLS = {
  ...textCalls,
  removeSame,
  makeFolder: files.makeFolder,
  makeSymlink: files.makeSymlink,
  makeFile: files.makeFile,
  makeFileWithin,
  writeBytes: files.writeBytes,
  renameFile: files.renameFile,
  inspectFile,
  withInspected,
  mayOpen: files.mayOpen,
  readBytes: files.readBytes,
  judgeBeginnings,
  withAttributes,
  lock,
  isLocked,
  getSelinux: () => ({ mode: getSelinuxMode(), policyName: getPolicyName() }),
  getUid: () => process.getuid?.() ?? 0,
} satisfies Partial<Host>;

/** Methods of nearly every command on files. */
export type FileCall = keyof typeof CALLS;

/** Returns the methods for files, loaded without the methods for processes, networks and mounts. */
export function makeFileCalls(): Pick<Host, FileCall> {
  return CALLS;
}
