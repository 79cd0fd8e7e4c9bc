import { SvirtError } from "../../src/errors.ts";
import type { Host } from "../../src/host/host.ts";
import type { HeldThing, Holding } from "../../src/host/processes.ts";
import { fileKey } from "../../src/plan/facts/file-key.ts";
import type { Machine } from "./machine.ts";
import type { Svirt } from "./svirt.ts";

type Part<Names extends keyof Host> = Pick<Host, Names>;

/** Calls about processes and the files that they hold. */
export function processCalls(
  machine: Machine,
  svirt: Svirt,
): Part<
  | "getProcess"
  | "hasProcess"
  | "listProcesses"
  | "listProcessesIn"
  | "listContexts"
  | "getCommandLine"
  | "listOpenFiles"
  | "findHoldings"
  | "listOpened"
  | "getCpuSeconds"
  | "signalProcess"
  | "killUser"
  | "spawnDaemon"
  | "hasDaemon"
  | "endDaemon"
> {
  const { processes } = machine;
  return {
    getProcess: (pid) => processes.get(pid),
    hasProcess: ({ pid, startTicks }) => processes.get(pid)?.startTicks === startTicks,
    listProcesses: (uid) => processes.list().filter((process) => uid === undefined || process.uid === uid),
    listProcessesIn: (isMeant) => processes.list().filter(({ context, uid }) => isMeant(context, () => uid)),
    listContexts: () => [...new Set(processes.list().flatMap(({ context }) => context ?? []))],
    getCommandLine: (pid) => processes.get(pid)?.words ?? [],
    listOpenFiles: (pid, isLeftOut = () => false) =>
      (processes.get(pid)?.devices?.listFiles() ?? []).map(({ fd, file }) =>
        isLeftOut(file.path)
          ? { fd, target: file.path, label: undefined, id: undefined }
          : {
              fd,
              target: file.path,
              label: machine.files.find(file.path)?.inode.xattrs.get("security.selinux"),
              id: file,
            },
      ),
    listOpened: (things) => things.filter((thing) => isOpened(machine, thing)),
    findHoldings: (things, pids) => {
      machine.noteLook(svirt);
      return pids.flatMap((pid) => findHoldings(machine, things, pid));
    },
    getCpuSeconds: (pid) => (processes.get(pid) === undefined ? undefined : 0.3),
    signalProcess: (process, signal) => processes.signal(process, signal),
    killUser: async (uid) => processes.killUser(uid),
    async spawnDaemon(words) {
      if (words.includes("--test")) testConfiguration(machine, words);
      else machine.daemons.add(words.slice(1).join(" "));
    },
    hasDaemon: (argument) => [...machine.daemons].some((words) => words.split(" ").includes(argument)),
    async endDaemon(argument) {
      for (const words of machine.daemons)
        if (words.split(" ").includes(argument)) machine.daemons.delete(words);
    },
  };
}

/** Refuses names that dnsmasq refuses: with a label of more than 63 bytes. check_name() of dnsmasq */
function testConfiguration(machine: Machine, words: readonly string[]): void {
  const path = words.find((word) => word.startsWith("--conf-file="))?.slice("--conf-file=".length) ?? "";
  const text = new TextDecoder().decode(machine.files.get(path).bytes);
  if (!/^(?:txt-record|srv-host)=[^,\n]*[^.,\n]{64}/m.test(text)) return;
  throw new SvirtError(`Cannot start ${words[0]}: dnsmasq: bad record`, {
    kind: "failed",
    remedy: "Correct it.",
  });
}

/** Returns whether a process may have a thing open. The kernel proves the contrary only for files. */
function isOpened(machine: Machine, { forbidden, key, path }: HeldThing): boolean {
  if (path === undefined || !key.startsWith("inode-")) return true;
  const files = machine.processes.list().flatMap(({ devices }) => devices?.listHeld() ?? []);
  return files.some(({ access, file }) => {
    return fileKey(file) === key && (forbidden !== "writing" || access !== "read-only");
  });
}

function findHoldings(machine: Machine, things: readonly HeldThing[], pid: number): Holding[] {
  const process = machine.processes.get(pid);
  if (process?.order?.uuid === machine.qemu.floods)
    return [{ pid, by: "more than is looked at", canWrite: true, isTooMuch: true }];
  const isSeen = machine.qemu.juggles !== true || machine.groups.isFrozen(process?.order?.group);
  const files = isSeen ? process?.devices?.listHeld() : process?.devices?.listFiles();
  const connections = (process?.devices?.listConnections() ?? []).map((context, at) => {
    return { pid, key: `peers-${context}`, by: `socket:[${at}]`, canWrite: true };
  });
  return [
    ...connections.filter((one) => things.some(({ key }) => key === one.key)),
    ...(files ?? []).flatMap(({ access, fd, file }) =>
      things
        .filter(({ key }) => key === fileKey(file))
        .map(({ key }) => ({ pid, key, by: `descriptor ${fd}`, canWrite: access !== "read-only" })),
    ),
  ];
}
