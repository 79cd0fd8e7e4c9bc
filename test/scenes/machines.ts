import { runCommandLine } from "../../src/cli/run-command.ts";
import { releaseLabels } from "../../src/labelling/release-label.ts";
import { readFileContexts } from "../../src/report/default-labels.ts";
import { destroyDomain } from "../../src/vm/end/destroy.ts";
import { recoverAll } from "../../src/vm/recover/recover.ts";
import { startDomain } from "../../src/vm/start/start.ts";
import type { FileSystem } from "../memory-host/file-tree.ts";
import { Machine } from "../memory-host/machine.ts";
import { type DomainOptions, diskXml, domainXml, nodeOn, ORIGINAL, putText, reapAll } from "./scene.ts";

/** Folder that two machines share, at the same path. */
export const FOLDER = "/mnt/shared";
/** Disk in the shared folder. */
export const DISK = `${FOLDER}/disk.raw`;

const on = (magic: number, type: string) => ({ fileSystems: [{ magic, type }], disks: [] });

type Kind = Omit<FileSystem, "device">;

export const CLUSTER: Kind = { keepsLabels: true, storage: on(0x01161970, "gfs2") };
export const NFS_WITH_MARKS: Kind = { keepsLabels: true, marks: "user", storage: on(0x6969, "nfs4") };
export const NFS_PLAIN: Kind = { keepsLabels: true, marks: "none", storage: on(0x6969, "nfs4") };
/** Mounted with context=: each file has the mount's label, which no call changes. */
export const NFS_WITH_CONTEXT: Kind = { keepsLabels: false, storage: on(0x6969, "nfs4") };
/** Storage that looks local, such as a virtual disk of two virtual machines. */
export const NOT_KNOWN: Kind = { keepsLabels: true };

/** Kinds of shared storage, by the attributes that its files support. */
export const KINDS: readonly (readonly [string, Kind])[] = [
  ["GFS2, with all attributes", CLUSTER],
  ["NFS, with user attributes", NFS_WITH_MARKS],
  ["NFS, with labels alone", NFS_PLAIN],
  ["what the kernel takes for a disk of its own", NOT_KNOWN],
];

/** Returns two machines that share a folder with a disk. */
export function makeMachines(kind: Kind): { readonly a: Machine; readonly b: Machine } {
  const [a, b] = [new Machine(), new Machine()];
  a.files.putFolder("/mnt");
  b.files.putFolder("/mnt");
  const folder = a.files.put(FOLDER, "folder", { mode: 0o755, fileSystem: { device: "0:50", ...kind } });
  folder.xattrs.set("security.selinux", "system_u:object_r:mnt_t:s0");
  b.files.get("/mnt").entries.set("shared", folder);
  for (const machine of [a, b])
    putText(machine, "/etc/selinux/svirt/contexts/files/file_contexts", `${FOLDER}(/.*)?\t${ORIGINAL}\n`);
  putShared(a, DISK);
  return { a, b };
}

/** Creates a file in the folder, with its original label. */
export function putShared(machine: Machine, path: string): void {
  machine.files.put(path, "file", { bytes: new Uint8Array(4096) }).xattrs.set("security.selinux", ORIGINAL);
}

/** Starts a guest, by default with the shared disk. */
export async function startOn(machine: Machine, options: DomainOptions = {}): Promise<void> {
  await startDomain(nodeOn(machine), domainXml({ disks: diskXml(DISK, "vda"), ...options }));
}

/** Destroys a guest and runs its reaper. */
export async function endOn(machine: Machine, name = "vm1"): Promise<void> {
  await destroyDomain(nodeOn(machine), name);
  await reapAll(machine);
}

/** Releases the marks of the other machine on the disk, as its administrator does. Throws the first error. */
export async function release(
  at: Machine,
  machine: string,
  paths: readonly string[] = [DISK],
): Promise<void> {
  const node = nodeOn(at);
  const { errors } = await releaseLabels(
    node,
    { paths, machine, isDryRun: false },
    readFileContexts(node.host),
  );
  if (errors[0] !== undefined) throw errors[0];
}

/**
 * Reboots a machine after a power failure and recovers. Returns the notices about files that keep their
 * labels.
 */
export async function powerFailure(machine: Machine): Promise<readonly string[]> {
  machine.reboot();
  const { errors, kept } = await recoverAll(nodeOn(machine));
  if (errors[0] !== undefined) throw errors[0];
  return kept;
}

/** Returns the IDs of the machines that have marked the disk. */
export function marksOn(machine: Machine, path = DISK): readonly string[] {
  const names = [...machine.files.get(path).xattrs.keys()];
  return names.flatMap((name) => /\.svirt\.machine\.(.*)/.exec(name)?.[1] ?? []);
}

/** Runs a command on a machine. Returns its exit code. */
export async function run(machine: Machine, ...words: readonly string[]): Promise<number> {
  const output = {
    print: () => undefined,
    printBytes: () => true,
    printSoon: async () => true,
    warn: () => undefined,
  };
  return await runCommandLine({ words, instance: nodeOn(machine), output, version: "1.2.3" });
}
