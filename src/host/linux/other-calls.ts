import type { Host } from "../host.ts";
import { grantAccess, revokeAccess } from "./access/file-access.ts";
import { setOwnership } from "./access/file-owner.ts";
import { visitTree } from "./access/visit-tree.ts";
import { copyToDevice } from "./content/copy-to-device.ts";
import { openSink, openSource } from "./content/file-stream.ts";
import { lockImages } from "./content/lock-images.ts";
import { listLeftParts, removeLeftParts } from "./content/partial-volumes.ts";
import { resizeFile } from "./content/resize-file.ts";
import { rewriteImage } from "./content/rewrite-image.ts";
import { wipeFile } from "./content/wipe-file.ts";
import type { FileCall } from "./file-calls.ts";
import { assignFolder } from "./files/assign-folder.ts";
import { getSpace } from "./files/file-system-space.ts";
import { makeFolderWithin } from "./files/folder-within.ts";
import { makeLinkWithin, removeLink } from "./files/link-within.ts";
import { openEach } from "./files/open-each.ts";
import { readText } from "./files/quick-files.ts";
import { removeEmptyFolder } from "./files/remove-same.ts";
import { removeTree } from "./files/remove-tree.ts";
import { watchFolders } from "./files/watch-folders.ts";
import { writeControl } from "./files/write-control.ts";
import { mayAccess } from "./labels/access-vector.ts";
import * as selinux from "./labels/selinux.ts";
import { mountCalls } from "./mounts/mounts.ts";
import { makeBridge, removeBridge } from "./network/bridge.ts";
import { listDefaultRoutes } from "./network/default-routes.ts";
import { makeMacvtap, removeMacvtap } from "./network/macvtap.ts";
import { listPacketRules, setPacketRules } from "./network/packet-rules.ts";
import { removeTapTable } from "./network/packet-table.ts";
import { disconnectTap, removeTap, setUpTap } from "./network/set-up-tap.ts";
import { shapeTap } from "./network/shape-tap.ts";
import { setFloor } from "./network/share-bridge.ts";
import { watchDevices } from "./network/watch-devices.ts";
import { readProbe } from "./probe/read-probe.ts";
import type { ProcessCall } from "./process-calls.ts";
import { removeControlGroup } from "./processes/control-files.ts";
import { endDaemon, hasDaemon, spawnDaemon } from "./processes/daemons.ts";
import { readLogEnd } from "./processes/guest-log.ts";
import { readOutput } from "./processes/read-output.ts";
import { runProgram } from "./processes/run-program.ts";
import { slowControlCalls } from "./processes/slow-controls.ts";
import { spawnGuest } from "./processes/spawn-guest.ts";
import { spawnHelper } from "./processes/spawn-helper.ts";
import { threadCalls } from "./processes/threads.ts";
import { followEvents } from "./sockets/event-feed.ts";
import { readKernelLog } from "./system/kernel-log.ts";
import { getKvmVcpuLimit } from "./system/kvm.ts";
import { getMachine } from "./system/machine.ts";
import { getStorage } from "./system/storage-facts.ts";
import { fillFile } from "./terminal/fill-file.ts";

/** Methods of linux-host.ts without this file. */
type QuickCall =
  | "readText"
  | "readInput"
  | "readLines"
  | "listMounts"
  | "listFolder"
  | "hasProcess"
  | "getSelinuxMode"
  | "getBootId"
  | "connectMonitor"
  | "connectLines"
  | "talk"
  | "openCaller"
  | "openConsole"
  | "editFile"
  | "deferSignals"
  | "nowMs"
  | "freeMemory"
  | "sleep"
  | "makeUuid"
  | "checksum"
  | "getCryptography";

const PROGRAM_CALLS = { readOutput, readProbe, runProgram };

/** Methods of this file. */
export type OtherCall = Exclude<keyof Host, QuickCall | FileCall | ProcessCall>;

/** Returns the methods needless for `svirt list` and for most commands on files. */
export function makeOtherCalls(): Pick<Host, OtherCall> {
  return {
    ...folderCalls,
    assignFolder,
    removeFolder: removeTree,
    makeLinkWithin,
    removeLink,
    ...volumeCalls,
    grantAccess,
    revokeAccess,
    setOwnership,
    getStorage,
    visitTree,
    killSelf,
    ...PROGRAM_CALLS,
    spawnGuest,
    readLogEnd,
    followEvents,
    ...networkCalls,
    writeControl,
    ...slowControlCalls,
    removeControlGroup,
    ...threadCalls,
    spawnHelper,
    ...daemonCalls,
    readKernelLog,
    getKvmVcpuLimit,
    getPolicy: selinux.getPolicy,
    getOwnContext: selinux.getOwnContext,
    isValidContext: selinux.isValidContext,
    mayAccess,
    ...ownCalls,
  };
}

/** Methods for lasting programs. */
const daemonCalls = { spawnDaemon, hasDaemon, endDaemon };

/** Methods for network devices. */
const networkCalls = {
  setUpTap,
  removeTap,
  disconnectTap,
  makeMacvtap,
  removeMacvtap,
  listDefaultRoutes,
  makeBridge,
  removeBridge,
  listPacketRules,
  setPacketRules,
  removeTapTable,
  setFloor,
  shapeTap,
};

/** Methods for the files of volumes. */
const volumeCalls = {
  copyToDevice,
  fillFile,
  lockImages,
  openSink,
  openSource,
  listLeftParts,
  removeLeftParts,
  resizeFile,
  rewriteImage,
  wipeFile,
};

/** Methods for subfolders and mounts in an inspected folder, and for watching folders and devices. */
const folderCalls = {
  makeFolderWithin,
  removeEmptyFolder,
  getSpace,
  openEach,
  watchDevices,
  watchFolders,
  ...mountCalls,
};

/** Methods for the identity of the machine and the boot. */
const ownCalls = { getMachine, getBootTime };

let bootTime: number | undefined;

/**
 * Implements Host.getBootTime: reads it once, like libvirt, so all marks of a call are equal. proc_stat(5)
 * btime
 */
function getBootTime(): number {
  bootTime ??= Number(/^btime (\d+)$/m.exec(readText("/proc/stat") ?? "")?.[1] ?? "0");
  return bootTime;
}

function killSelf(): never {
  process.kill(process.pid, "SIGKILL");
  throw new Error("the kernel did not kill this process");
}
