import type { Host } from "../host.ts";
import { grantAccess, revokeAccess } from "./access/file-access.ts";
import { setOwnership } from "./access/file-owner.ts";
import { visitTree } from "./access/visit-tree.ts";
import { copyToDevice } from "./content/copy-to-device.ts";
import { makeFileWithin } from "./content/make-within.ts";
import { resizeFile } from "./content/resize-file.ts";
import { rewriteImage } from "./content/rewrite-image.ts";
import { wipeFile } from "./content/wipe-file.ts";
import { assignFolder } from "./files/assign-folder.ts";
import { getSpace } from "./files/file-system-space.ts";
import * as files from "./files/files.ts";
import { makeFolderWithin } from "./files/folder-within.ts";
import { inspectFile, withAttributes, withInspected } from "./files/inspect-file.ts";
import { makeLinkWithin, removeLink } from "./files/link-within.ts";
import { isLocked, lock } from "./files/lock.ts";
import { readText } from "./files/quick-files.ts";
import { removeEmptyFolder, removeSame } from "./files/remove-same.ts";
import { removeTree } from "./files/remove-tree.ts";
import { writeControl } from "./files/write-control.ts";
import { findHoldings } from "./holders/holdings.ts";
import { listOpened } from "./holders/leases.ts";
import { listOpenFiles } from "./holders/open-files.ts";
import { mayAccess } from "./labels/access-vector.ts";
import * as selinux from "./labels/selinux.ts";
import { mountCalls } from "./mounts/mounts.ts";
import { makeBridge, removeBridge } from "./network/bridge.ts";
import { makeMacvtap, removeMacvtap } from "./network/macvtap.ts";
import { listPacketRules, setPacketRules } from "./network/packet-rules.ts";
import { removeTapTable } from "./network/packet-table.ts";
import { removeTap, setUpTap } from "./network/set-up-tap.ts";
import { shapeTap } from "./network/shape-tap.ts";
import { setFloor } from "./network/share-bridge.ts";
import { removeControlGroup } from "./processes/control-files.ts";
import { endDaemon, hasDaemon, spawnDaemon } from "./processes/daemons.ts";
import { readLogEnd } from "./processes/guest-log.ts";
import { processCalls } from "./processes/processes.ts";
import { readOutput } from "./processes/read-output.ts";
import { runProgram } from "./processes/run-program.ts";
import { spawnGuest } from "./processes/spawn-guest.ts";
import { spawnHelper } from "./processes/spawn-helper.ts";
import { threadCalls } from "./processes/threads.ts";
import { readKernelLog } from "./system/kernel-log.ts";
import { getMachine } from "./system/machine.ts";
import { getSelinuxMode } from "./system/selinux-mode.ts";
import { getStorage } from "./system/storage-facts.ts";
import { fillFile } from "./terminal/fill-file.ts";
import { inputCalls } from "./terminal/read-input.ts";

/** Methods that linux-host.ts implements without this file. */
export type QuickCall =
  | "readText"
  | "listFolder"
  | "hasProcess"
  | "getSelinuxMode"
  | "getBootId"
  | "connectMonitor"
  | "connectLines"
  | "talk"
  | "editFile"
  | "nowMs"
  | "sleep"
  | "makeUuid";

const PROGRAM_CALLS = { readOutput, runProgram };

/** Returns the methods that `svirt list` does not call. */
export function makeOtherCalls(): Omit<Host, QuickCall> {
  return {
    ...files.textCalls,
    removeSame,
    makeFolder: files.makeFolder,
    ...folderCalls,
    assignFolder,
    removeFolder: removeTree,
    makeSymlink: files.makeSymlink,
    makeLinkWithin,
    removeLink,
    makeFile: files.makeFile,
    ...volumeCalls,
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
    ...PROGRAM_CALLS,
    spawnGuest,
    readLogEnd,
    ...networkCalls,
    writeControl,
    removeControlGroup,
    ...threadCalls,
    spawnHelper,
    ...daemonCalls,
    getSelinux: () => ({ mode: getSelinuxMode(), policyName: selinux.getPolicyName() }),
    readKernelLog,
    getPolicy: selinux.getPolicy,
    getOwnContext: selinux.getOwnContext,
    isValidContext: selinux.isValidContext,
    mayAccess,
    ...ownCalls,
  };
}

/** Methods for programs that stay. */
const daemonCalls = { spawnDaemon, hasDaemon, endDaemon };

/** Methods for network devices. */
const networkCalls = {
  setUpTap,
  removeTap,
  makeMacvtap,
  removeMacvtap,
  makeBridge,
  removeBridge,
  listPacketRules,
  setPacketRules,
  removeTapTable,
  setFloor,
  shapeTap,
};

/** Methods for the files of volumes. */
const volumeCalls = { copyToDevice, fillFile, makeFileWithin, resizeFile, rewriteImage, wipeFile };

/** Methods for subfolders and mounts in an inspected folder. */
const folderCalls = { makeFolderWithin, removeEmptyFolder, getSpace, ...mountCalls };

/** Methods that identify the machine, the boot and the caller. */
const ownCalls = { getMachine, getBootTime, getUid: () => process.getuid?.() ?? 0 };

let bootTime: number | undefined;

/**
 * Implements Host.getBootTime: reads it once, like libvirt, so that all marks of one call are equal. proc_stat(5) btime
 */
function getBootTime(): number {
  bootTime ??= Number(/^btime (\d+)$/m.exec(readText("/proc/stat") ?? "")?.[1] ?? "0");
  return bootTime;
}

function killSelf(): never {
  process.kill(process.pid, "SIGKILL");
  throw new Error("the kernel did not kill this process");
}
