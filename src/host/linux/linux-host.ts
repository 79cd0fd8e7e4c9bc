import type { Host } from "../host.ts";
import type { MountHost } from "../mounts.ts";
import { listFolder, readText } from "./files/quick-files.ts";
import { getBootId, hasProcess } from "./processes/reused-pid.ts";
import { getSelinuxMode } from "./system/selinux-mode.ts";

const HEXADECIMAL = 16;

/**
 * Returns svirt's machine. Loads the calls of `svirt list` immediately, and all others at the first call of
 * any. Loading the others takes longer than the whole of `svirt list` (docs/measurements.md).
 */
export function makeLinuxHost(): Host {
  return {
    readText,
    listFolder,
    hasProcess,
    getBootId,
    getSelinuxMode,
    ...valueCalls(),
    freeMemory: () => Bun.gc(true),
    sleep: async (ms) => await (await import("./calls/wait-ready.ts")).sleep(ms),
    getCryptography: async () => (await import("./system/cryptography.ts")).cryptography,
    connectLines: async (to) => (await import("./sockets/line-channel.ts")).connectLines(to),

    ...terminalCalls(),
    ...monitorCalls(),
    ...fileCalls(),
    ...mountCalls(),
    lock: async (path, timeoutMs) => await files().lock(path, timeoutMs),
    isLocked: (path) => files().isLocked(path),
    getProcess: (pid) => processes().getProcess(pid),
    listProcesses: (uid) => processes().listProcesses(uid),
    listProcessesIn: (isMeant) => processes().listProcessesIn(isMeant),
    listContexts: () => processes().listContexts(),
    getCommandLine: (pid) => processes().getCommandLine(pid),
    getCpuSeconds: (pid) => processes().getCpuSeconds(pid),
    listOpenFiles: (pid, isLeftOut) => processes().listOpenFiles(pid, isLeftOut),
    findHoldings: (things, pids, how) => processes().findHoldings(things, pids, how),
    listOpened: (things) => processes().listOpened(things),
    signalProcess: (target, signal) => processes().signalProcess(target, signal),
    killUser: async (uid) => await processes().killUser(uid),
    killSelf: () => others().killSelf(),
    readOutput: async (words, input) => await others().readOutput(words, input),
    readProbe: async (probe) => await others().readProbe(probe),
    runProgram: async (words, timeoutMs, input) => await others().runProgram(words, timeoutMs, input),
    spawnGuest: async (order) => await others().spawnGuest(order),
    readLogEnd: async (path, mostBytes) => await others().readLogEnd(path, mostBytes),
    ...shareCalls(),
    spawnHelper: async (order) => await others().spawnHelper(order),
    spawnDaemon: async (words) => await others().spawnDaemon(words),
    hasDaemon: (argument) => others().hasDaemon(argument),
    endDaemon: async (argument) => await others().endDaemon(argument),
    getSelinux: () => files().getSelinux(),
    readKernelLog: () => others().readKernelLog(),
    getKvmVcpuLimit: () => others().getKvmVcpuLimit(),
    getPolicy: () => others().getPolicy(),
    getOwnContext: () => others().getOwnContext(),
    isValidContext: (context) => others().isValidContext(context),
    mayAccess: (access) => others().mayAccess(access),
    getMachine: () => others().getMachine(),
    getBootTime: () => others().getBootTime(),
    getUid: () => files().getUid(),
  };
}

/** Methods that touch nothing on the host. */
function valueCalls(): Pick<Host, "nowMs" | "makeUuid" | "checksum"> {
  return {
    nowMs: () => Date.now(),
    makeUuid: () => crypto.randomUUID(),
    checksum: (text) => Bun.hash(text).toString(HEXADECIMAL),
  };
}

/** Methods for guests' shared resources other than files. */
function shareCalls(): Pick<
  Host,
  | "setUpTap"
  | "removeTap"
  | "disconnectTap"
  | "makeMacvtap"
  | "removeMacvtap"
  | "listDefaultRoutes"
  | "makeBridge"
  | "removeBridge"
  | "setPacketRules"
  | "listPacketRules"
  | "removeTapTable"
  | "shapeTap"
  | "setFloor"
  | "writeControl"
  | "writeControls"
  | "findWaiting"
  | "isReadable"
  | "removeControlGroup"
  | "moveThread"
  | "setAffinity"
  | "setScheduler"
  | "setMemlock"
> {
  return {
    setUpTap: (setup, how) => others().setUpTap(setup, how),
    removeTap: (tap) => others().removeTap(tap),
    disconnectTap: (tap) => others().disconnectTap(tap),
    makeMacvtap: (link) => others().makeMacvtap(link),
    removeMacvtap: (link) => others().removeMacvtap(link),
    listDefaultRoutes: () => others().listDefaultRoutes(),
    makeBridge: (bridge) => others().makeBridge(bridge),
    removeBridge: (mark) => others().removeBridge(mark),
    listPacketRules: async () => await others().listPacketRules(),
    setPacketRules: async (script) => await others().setPacketRules(script),
    removeTapTable: (table) => others().removeTapTable(table),
    setFloor: (to, bytesPerSecond) => others().setFloor(to, bytesPerSecond),
    shapeTap: (name, shape) => others().shapeTap(name, shape),
    writeControl: (path, value) => others().writeControl(path, value),
    writeControls: async (...how) => await others().writeControls(...how),
    isReadable: async (...how) => await others().isReadable(...how),
    findWaiting: (lock) => others().findWaiting(lock),
    removeControlGroup: (path) => others().removeControlGroup(path),
    moveThread: (thread, group) => others().moveThread(thread, group),
    setAffinity: (thread, cpus) => others().setAffinity(thread, cpus),
    setScheduler: (thread, scheduler) => others().setScheduler(thread, scheduler),
    setMemlock: (process, limitKiB) => others().setMemlock(process, limitKiB),
  };
}

/** Methods for the user who called svirt. */
function terminalCalls(): Pick<Host, "editFile" | "deferSignals" | "openCaller" | "openConsole" | "talk"> {
  return {
    editFile: async (path) => await (await import("./terminal/edit-file.ts")).editFile(path),
    deferSignals: async (work) => await (await import("./terminal/defer-signals.ts")).deferSignals(work),
    openCaller: async () => (await import("./terminal/caller.ts")).openCaller(),
    openConsole: async (to, how) => (await import("./terminal/open-console.ts")).openConsole(to, how),
    talk: async (to, how) => await (await import("./terminal/talk.ts")).talk(to, how),
  };
}

function monitorCalls(): Pick<Host, "connectMonitor" | "followEvents"> {
  return {
    connectMonitor: async (path, timeoutMs) =>
      await (await import("./sockets/monitor.ts")).connectMonitor(path, timeoutMs),
    followEvents: (path, onEvent) => others().followEvents(path, onEvent),
  };
}

function mountCalls(): MountHost {
  return {
    listMounts: () => mounts().listMounts(),
    openMount: async (order) => await others().openMount(order),
    hasAnswer: async (path, limitMs) => await others().hasAnswer(path, limitMs),
    unmount: async (above, path, limitMs) => await others().unmount(above, path, limitMs),
  };
}

function fileCalls() {
  return {
    writeText: (path, text, mode) => files().writeText(path, text, mode),
    stageText: (path, text, mode) => files().stageText(path, text, mode),
    placeText: (path) => files().placeText(path),
    writeVolatile: (path, text, mode) => files().writeVolatile(path, text, mode),
    removeFile: (path) => files().removeFile(path),
    removeSame: (file) => files().removeSame(file),
    makeFolder: (folder) => files().makeFolder(folder),
    makeFolderWithin: (folder, made) => others().makeFolderWithin(folder, made),
    removeEmptyFolder: (folder) => others().removeEmptyFolder(folder),
    getSpace: (folder) => others().getSpace(folder),
    assignFolder: (path, to) => others().assignFolder(path, to),
    removeFolder: (path, isMounted) => others().removeFolder(path, isMounted),
    makeSymlink: (path, target) => files().makeSymlink(path, target),
    makeLinkWithin: (folder, link) => others().makeLinkWithin(folder, link),
    removeLink: (path, target) => others().removeLink(path, target),
    makeFile: (path, mode, content) => files().makeFile(path, mode, content),
    makeFileWithin: async (folder, file) => await files().makeFileWithin(folder, file),
    listLeftParts: (folder) => others().listLeftParts(folder),
    removeLeftParts: (folder) => others().removeLeftParts(folder),
    resizeFile: async (file, sizeBytes, reservedBytes) =>
      await others().resizeFile(file, sizeBytes, reservedBytes),
    fillFile: async (file, from, part) => await others().fillFile(file, from, part),
    openSource: (file, part) => others().openSource(file, part),
    openSink: async (file, part) => await others().openSink(file, part),
    copyToDevice: async (device, data, part) => await others().copyToDevice(device, data, part),
    lockImages: async (images) => await others().lockImages(images),
    wipeFile: async (file, how) => await others().wipeFile(file, how),
    rewriteImage: async (file, plan) => await others().rewriteImage(file, plan),
    writeBytes: (file, offset, bytes) => files().writeBytes(file, offset, bytes),
    renameFile: (from, to) => files().renameFile(from, to),
    readInput: (path, mostBytes) => input().readInput(path, mostBytes),
    readLines: (path, limits) => input().readLines(path, limits),
    inspectFile: (path) => files().inspectFile(path),
    mayOpen: (file) => files().mayOpen(file),
    readBytes: (file, offset, length) => files().readBytes(file, offset, length),
    judgeBeginnings: (folder, length, judge) => files().judgeBeginnings(folder, length, judge),
    getStorage: (file) => others().getStorage(file),
    withInspected: (path, use) => files().withInspected(path, use),
    openEach: (paths) => others().openEach(paths),
    withAttributes: (file, use) => files().withAttributes(file, use),
    grantAccess: (file, granted) => others().grantAccess(file, granted),
    revokeAccess: (file, uid) => others().revokeAccess(file, uid),
    setOwnership: (file, ownership) => others().setOwnership(file, ownership),
    watchFolders: (folders) => others().watchFolders(folders),
    watchDevices: () => others().watchDevices(),
    visitTree: (folder, above, visit) => others().visitTree(folder, above, visit),
  } satisfies Partial<Host>;
}

/** Returns a function that loads some of the methods when it is first called. */
function onDemand<Methods>(load: () => Methods): () => Methods {
  let loaded: Methods | undefined;
  return () => {
    loaded ??= load();
    return loaded;
  };
}

// Not import(): a synchronous method of Host cannot wait for it.

const files = onDemand(() => {
  const { makeFileCalls }: typeof import("./file-calls.ts") = require("./file-calls.ts");
  return makeFileCalls();
});

const processes = onDemand(() => {
  const { calls }: typeof import("./process-calls.ts") = require("./process-calls.ts");
  return calls;
});

const input = onDemand(() => {
  const { inputCalls }: typeof import("./terminal/read-input.ts") = require("./terminal/read-input.ts");
  return inputCalls;
});

const mounts = onDemand(() => {
  const { listMounts }: typeof import("./mounts/list-mounts.ts") = require("./mounts/list-mounts.ts");
  return { listMounts };
});

const others = onDemand(() => {
  const { makeOtherCalls }: typeof import("./other-calls.ts") = require("./other-calls.ts");
  return makeOtherCalls();
});
