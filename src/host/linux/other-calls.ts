import type { Host } from "../../host.ts";
import { mayAccess } from "./access-vector.ts";
import { removeControlGroup, writeControl } from "./control-files.ts";
import { grantAccess, revokeAccess } from "./file-access.ts";
import { setOwnership } from "./file-owner.ts";
import * as files from "./files.ts";
import { giveFolder } from "./give-folder.ts";
import { readLogEnd } from "./guest-log.ts";
import { findHoldings } from "./holdings.ts";
import { inspectFile, withAttributes, withInspected } from "./inspect-file.ts";
import { readKernelLog } from "./kernel-log.ts";
import { listOpened } from "./leases.ts";
import { makeLinkWithin, removeLink } from "./link-within.ts";
import { isLocked, lock } from "./lock.ts";
import { getMachine } from "./machine.ts";
import { makeMacvtap, removeMacvtap } from "./macvtap.ts";
import { listOpenFiles } from "./open-files.ts";
import { processCalls } from "./processes.ts";
import { readText } from "./quick-files.ts";
import { inputCalls } from "./read-input.ts";
import { readOutput } from "./read-output.ts";
import { removeTree } from "./remove-tree.ts";
import * as selinux from "./selinux.ts";
import { removeTap, setUpTap } from "./set-up-tap.ts";
import { spawnGuest } from "./spawn-guest.ts";
import { spawnHelper } from "./spawn-helper.ts";
import { getStorage } from "./storage-facts.ts";
import { threadCalls } from "./threads.ts";
import { visitTree } from "./visit-tree.ts";

/** What linux-host.ts does without this file. */
export type QuickCall =
  | "readText"
  | "listFolder"
  | "getProcess"
  | "getBootId"
  | "connectMonitor"
  | "connectLines"
  | "talk"
  | "editFile"
  | "nowMs"
  | "sleep"
  | "makeUuid";

/** All that `svirt list` does without. */
export function makeOtherCalls(): Omit<Host, QuickCall> {
  return {
    ...files.textCalls,
    makeFolder: files.makeFolder,
    giveFolder,
    removeFolder: removeTree,
    makeSymlink: files.makeSymlink,
    makeLinkWithin,
    removeLink,
    makeFile: files.makeFile,
    writeBytes: files.writeBytes,
    renameFile: files.renameFile,
    ...inputCalls,
    inspectFile,
    withInspected,
    mayOpen: files.mayOpen,
    readBytes: files.readBytes,
    withAttributes,
    grantAccess,
    revokeAccess,
    setOwnership,
    getStorage,
    visitTree,
    lock,
    isLocked,
    ...processCalls,
    listOpenFiles,
    findHoldings,
    listOpened,
    killSelf,
    readOutput,
    spawnGuest,
    readLogEnd,
    setUpTap,
    removeTap,
    makeMacvtap,
    removeMacvtap,
    writeControl,
    removeControlGroup,
    ...threadCalls,
    spawnHelper,
    getSelinux: selinux.getSelinux,
    readKernelLog,
    getPolicy: selinux.getPolicy,
    getOwnContext: selinux.getOwnContext,
    isValidContext: selinux.isValidContext,
    mayAccess,
    ...ownCalls,
  };
}

/** What tells one machine, one boot and one caller from others. */
const ownCalls = { getMachine, getBootTime, getUid: () => process.getuid?.() ?? 0 };

let bootTime: number | undefined;

/** Host.getBootTime: read once, like the reference's, so that all marks of one call say the same. proc_stat(5) btime */
function getBootTime(): number {
  bootTime ??= Number(/^btime (\d+)$/m.exec(readText("/proc/stat") ?? "")?.[1] ?? "0");
  return bootTime;
}

function killSelf(): never {
  process.kill(process.pid, "SIGKILL");
  throw new Error("the kernel did not kill this process");
}
