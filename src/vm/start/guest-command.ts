import type { Domain } from "../../domain/domain.ts";
import { listPeerSockets } from "../../domain/resources/peer-sockets.ts";
import type { PeerSocket } from "../../domain/resources/resource.ts";
import { SvirtError } from "../../errors.ts";
import type { FileFacts } from "../../host/files.ts";
import type { LabelDecision } from "../../label/label-decision.ts";
import { peerContext } from "../../label/peer-context.ts";
import { isInstalled } from "../../label/protected-paths.ts";
import type { PlannedTap } from "../../plan/decide/tap.ts";
import type { GrantedFile, PlannedSocket } from "../../plan/facts/file.ts";
import type { LaunchSpec, PassedFile, PassedPeer, PassedSocket } from "../../plan/facts/launch-spec.ts";
import type { PassedSecret } from "../../plan/facts/passed-secret.ts";
import type { MonitorCommand } from "../../plan/facts/step-parts.ts";
import type { PassedTap } from "../../plan/facts/tap.ts";
import { guestPaths } from "../../plan/paths.ts";
import { formatGuestArgv } from "../../qemu/command-line.ts";
import { countDescriptors } from "../../qemu/count-descriptors.ts";
import { listDescriptors } from "../../qemu/descriptors.ts";
import { listSecrets } from "../../qemu/devices/disk/argv.ts";
import type { SecretUse } from "../../qemu/devices/disk/secrets.ts";
import { type Descriptor, isOpenedByName } from "../../qemu/launch.ts";
import type { Guest } from "../../qemu/model/guest.ts";
import type { QmpCommand } from "../../qemu/monitor/qmp.ts";
import { listStartCommands } from "../../qemu/start-commands.ts";
import type { ResolvedFiles } from "../../resolve/files/all.ts";
import { numberTap } from "../../resolve/host/taps.ts";
import { resolveProgram } from "../../resolve/places/host-program.ts";
import { type Instance, isSession } from "../../state/instance.ts";

/**
 * The first descriptor after stdin, stdout and stderr: even a shell that can close only single digits closes
 * it.
 */
const MONITOR_FD = 3;
/** S_IROTH. inode(7) */
const READABLE_BY_OTHERS = 0o004;

/**
 * The guest's command, the files that its user may open by name until QEMU has opened them, and its monitor
 * commands.
 */
export interface GuestCommand {
  readonly order: LaunchSpec;
  readonly grants: readonly GrantedFile[];
  readonly commands: readonly MonitorCommand[];
  readonly secrets: readonly PassedSecret[];
  /** Whether to ask QEMU which terminals it got. */
  readonly hasTerminals: boolean;
}

/**
 * Returns the guest's command, with every file that it inherits open. Throws "unsupported", "not-found",
 * "denied".
 */
export function buildGuestCommand(
  instance: Instance,
  guest: Guest,
  decided: {
    readonly resolved: ResolvedFiles;
    readonly label: LabelDecision;
    readonly sockets: readonly PlannedSocket[];
    readonly taps: readonly PlannedTap[];
    readonly uid: number;
    /** QEMU loads the state of another QEMU. */
    readonly isIncoming: boolean;
    readonly groupPath: string | undefined;
  },
): GuestCommand {
  const { domain } = guest;
  const paths = guestPaths(instance.paths, domain.uuid);
  const { chains, files } = decided.resolved;
  const own = decided.sockets.filter(({ target }) => target === undefined);
  const sockets = own.map((socket, at) => ({ ...socket, fd: MONITOR_FD + 1 + at }));
  const peers = numberPeers(guest.devices, MONITOR_FD + 1 + sockets.length);
  const firstFile = MONITOR_FD + 1 + sockets.length + peers.length;
  const descriptors = listDescriptors(guest, chains, firstFile);
  const listeners = sockets.map(({ fd, named }) => ({ fd, path: named }));
  const taps = numberTaps(decided.taps, firstFile + descriptors.length);
  const connected = peers.map(({ fd, place }) => ({ name: String(fd), place }));
  const known = { listeners, peers: connected, descriptors, taps };
  const nowSeconds = Math.floor(instance.host.nowMs() / 1000);
  const eventsFd =
    firstFile + descriptors.length + decided.taps.reduce((sum, tap) => sum + tap.queues + tap.vhosts, 0);
  const { folder: secretFolder, workFolder: folder } = paths;
  const launch = { monitorFd: MONITOR_FD, eventsFd, ...known, folder, secretFolder, nowSeconds };
  const [program = "", ...words] = formatGuestArgv(guest, { chains, launch });
  const incoming = decided.isIncoming ? ["-incoming", "defer"] : [];
  const { groupPath } = decided;
  const context = decided.label.label;
  const passedFiles = listPassedFiles(instance, { descriptors, found: files, isStart: true });
  const order: LaunchSpec = {
    uuid: domain.uuid,
    program: resolveProgram(instance.host, program),
    words: [...words, ...incoming],
    environment: { LC_ALL: "C", PATH: "/usr/sbin:/usr/bin:/sbin:/bin", HOME: paths.workFolder },
    ...(context === undefined ? {} : { context }),
    uid: decided.uid,
    ...(groupPath === undefined ? {} : { group: groupPath }),
    ...memlockOf(domain),
    mostDescriptors: countDescriptors(domain),
    folder: paths.folder,
    workFolder: paths.workFolder,
    logFile: `${instance.paths.log}/${domain.name}.log`,
    sockets: [{ fd: MONITOR_FD, path: paths.monitor }, ...sockets.map(passedSocket)],
    ...(peers.length === 0 ? {} : { peers: peers.map((peer) => handPeer(instance, peer, decided)) }),
    files: passedFiles,
    ...(taps.length === 0 ? {} : { taps }),
    events: { fd: eventsFd, path: paths.events },
  };
  const found = files.flatMap(({ facts, isFoundByQemu }) =>
    isFoundByQemu === true ? [{ file: facts.id, access: "read-write" } as const] : [],
  );
  // In a session QEMU's user already has access to these files.
  const grants = isSession(instance)
    ? []
    : [...listGrants(instance, { descriptors, found: files }), ...found];
  const told = listStartCommands(guest);
  const hasTerminals = told.some(({ execute }) => execute === "query-chardev");
  const secrets = passSecrets(instance, listSecrets(guest, chains), secretFolder);
  return { order, grants, secrets, commands: startCommands(told, decided), hasTerminals };
}

/** Decides the files of secrets. Few guests have one. */
export function passSecrets(
  instance: Instance,
  uses: readonly SecretUse[],
  folder: string,
): readonly PassedSecret[] {
  if (uses.length === 0) return [];
  const {
    decideSecrets,
  }: typeof import("../../resolve/secrets/passed-secrets.ts") = require("../../resolve/secrets/passed-secrets.ts");
  return decideSecrets(instance, uses, folder);
}

type NumberedPeer = PeerSocket & { readonly fd: number };

function numberPeers(devices: Domain["devices"], firstFd: number): NumberedPeer[] {
  return listPeerSockets(devices).map((peer, at) => ({ ...peer, fd: firstFd + at }));
}

function handPeer(
  instance: Instance,
  { fd, path }: NumberedPeer,
  { resolved, label }: { readonly resolved: ResolvedFiles; readonly label: LabelDecision },
): PassedPeer {
  const known = new Map(resolved.files.map(({ facts, named }) => [named, facts]));
  const context = label.label === undefined ? undefined : peerContext(label.label);
  return { fd, socket: fileAt(instance, known, path).id, ...(context === undefined ? {} : { context }) };
}

function numberTaps(planned: readonly PlannedTap[], firstFd: number): PassedTap[] {
  let next = firstFd;
  return planned.map((tap) => {
    const first = next;
    next += tap.queues + tap.vhosts;
    return numberTap(tap, first);
  });
}

/** Files to open for QEMU, and the facts found at their paths. */
interface Passing {
  readonly descriptors: readonly Descriptor[];
  readonly found: ResolvedFiles["files"];
}

/**
 * Lists the files to open for QEMU, each as inspected at its path. Throws "not-found"; "denied" for a file
 * QEMU could not open by name, even with the ACL entry of a start.
 */
export function listPassedFiles(
  instance: Instance,
  { descriptors, found, isStart = false }: Passing & { readonly isStart?: boolean },
): PassedFile[] {
  const known = knownFiles(found);
  return descriptors.map(({ owner: _, ...descriptor }) => {
    const { path, purpose, ...opened } = descriptor;
    const facts = fileAt(instance, known, path);
    if (!isSession(instance) && isUnreadable(descriptor, facts) && !(isStart && isLent(descriptor, facts)))
      refuseUnreadable(path);
    return { ...opened, file: facts.id };
  });
}

function knownFiles(found: ResolvedFiles["files"]): ReadonlyMap<string, FileFacts> {
  return new Map(found.map(({ facts, named }) => [named, facts]));
}

/**
 * Lists the files for QEMU's user to open by name: files of this guest only, device nodes, and a kernel
 * readable to its owner only.
 */
function listGrants(instance: Instance, { descriptors, found }: Passing): readonly GrantedFile[] {
  const known = knownFiles(found);
  return descriptors.flatMap((descriptor) => {
    const facts = fileAt(instance, known, descriptor.path);
    if (!isGranted(descriptor) && !(isUnreadable(descriptor, facts) && isLent(descriptor, facts))) return [];
    return [{ file: facts.id, access: descriptor.access === "read-only" ? "read-only" : "read-write" }];
  });
}

/**
 * Returns whether QEMU's user always gets an ACL entry: to a file of this guest only, and to a device,
 * protected by the host.
 */
function isGranted(found: Pick<Descriptor, "access" | "purpose">): boolean {
  return isOpenedByName(found) && (found.access !== "read-only" || found.purpose === "scsi");
}

/**
 * Returns whether QEMU opens a file for reading that others may not read: QEMU's user is neither its owner
 * nor in any group.
 */
function isUnreadable(descriptor: Pick<Descriptor, "access" | "purpose">, { mode }: FileFacts): boolean {
  // The guest's user gets access to a shared folder and all files in it.
  if (descriptor.purpose === "folder" || isGranted(descriptor)) return false;
  return isOpenedByName(descriptor) && (mode & READABLE_BY_OTHERS) === 0;
}

/**
 * Returns whether a start lets QEMU's user read a file closed to others: a kernel or an initrd. Clients
 * upload them into volumes, readable to root alone. svirt changes no ACL of the host's own kernel.
 */
function isLent({ purpose }: Pick<Descriptor, "purpose">, { id: { path } }: FileFacts): boolean {
  return (purpose === "kernel" || purpose === "initrd") && !isInstalled(path) && !path.startsWith("/boot/");
}

function passedSocket({ fd, folder, label, path }: PlannedSocket & { readonly fd: number }): PassedSocket {
  return { fd, path, within: folder, ...(label === undefined ? {} : { label }) };
}

function fileAt(instance: Instance, known: ReadonlyMap<string, FileFacts>, path: string): FileFacts {
  const facts = known.get(path) ?? instance.host.inspectFile(path);
  if (facts !== undefined) return facts;
  throw new SvirtError(`Cannot pass ${path} to the guest: it does not exist`, {
    kind: "not-found",
    remedy:
      path === "/dev/kvm"
        ? "Load kvm-intel or kvm-amd, or write <domain type='qemu'>."
        : "Create the file, or correct the path.",
  });
}

function refuseUnreadable(path: string): never {
  throw new SvirtError(
    `Cannot give ${path} to the guest: QEMU opens it as the guest's user, who has no permission to read it`,
    {
      kind: "denied",
      remedy: `Run: chmod o+r ${path}`,
    },
  );
}

/**
 * Lists the monitor commands before the vCPUs run and the command to resume them. The connection negotiates
 * by itself, and queries are left to their callers. A loaded state includes its balloon.
 */
function startCommands(
  told: readonly QmpCommand[],
  { isIncoming }: { readonly isIncoming: boolean },
): MonitorCommand[] {
  const passed = new Set(["qmp_capabilities", ...(isIncoming ? ["balloon"] : [])]);
  return told
    .filter(({ execute }) => !passed.has(execute) && !execute.startsWith("query-"))
    .map(({ arguments: args, execute }) => ({ execute, ...(args === undefined ? {} : { arguments: args }) }));
}

/**
 * Lockable memory of a guest with VFIO devices beyond its own memory, as in libvirt. Memory written by
 * hardware cannot be swapped out.
 */
const VFIO_EXTRA_KIB = 1024 * 1024;

/**
 * Returns how much memory the guest must be able to lock; empty: as much as svirt itself.
 * qemuDomainGetMemLockLimitBytes() of libvirt
 */
export function memlockOf(domain: Domain): Pick<LaunchSpec, "memlockKiB"> {
  const { devices, maxMemory, memory, memoryBacking, memtune } = domain;
  if (memoryBacking?.locked === true) return { memlockKiB: memtune?.hardLimitKiB ?? "unlimited" };
  const hasVfio =
    devices.hostdevs.some(({ type }) => type === "pci" || type === "mdev") ||
    devices.disks.some(({ type }) => type === "nvme");
  if (!hasVfio) return {};
  return { memlockKiB: (maxMemory?.kiB ?? memory.kiB) + VFIO_EXTRA_KIB };
}
