import { deviceNumber } from "./device-number.ts";

/** How QEMU uses a descriptor that svirt opened for it. */
type DescriptorAccess = "read-only" | "read-write" | "append";

/**
 * How QEMU gets at a file. By a set: its own descriptor. By name: /proc/self/fd leads it to the file that svirt opened, as
 * far as its user may open that file.
 */
const WAYS = {
  image: "set",
  flash: "set",
  chardev: "set",
  random: "set",
  kvm: "set",
  usb: "set",
  tpm: "set",
  // An option of its own takes the number.
  vhost: "number",
  rom: "name",
  kernel: "name",
  initrd: "name",
  "boot-file": "name",
  memory: "name",
  input: "name",
  folder: "name",
  // QEMU asks the name whether it is a generic node. qemu.git block/file-posix.c hdev_is_sg()
  scsi: "name",
} as const;
type Purpose = keyof typeof WAYS;

/** A file of the host that svirt opens and hands to QEMU under a number of its own. */
export interface Descriptor {
  readonly fd: number;
  readonly path: string;
  readonly access: DescriptorAccess;
  readonly purpose: Purpose;
  /** Emptied when it is opened: the log of a chardev without `append='on'`. */
  readonly truncate: boolean;
  /** Opened with O_DIRECT, past the host's cache: QEMU takes a descriptor from a set only where this is as it wants. */
  readonly direct: boolean;
  /** The device that has it to itself, where each has one of its own of the same file. */
  readonly owner?: string;
  /** Opened without waiting for the other side: a line that nobody is on. O_NONBLOCK, open(2) */
  readonly nonBlocking?: true;
  /** An image, and what QEMU does with it. */
  readonly lock?: { readonly as: "reader" | "writer" | "sharer"; readonly isFirst: boolean };
}

/** The queues of a tap as QEMU is told them: numbers of descriptors, or names that its monitor knows. */
export interface LaunchTap {
  readonly netdev: string;
  readonly queues: readonly string[];
  /** None: the host's kernel does not carry the frames, QEMU does. */
  readonly vhosts: readonly string[];
}

/** A connection that svirt has made for a device. */
export interface LaunchPeer {
  /** The number of a descriptor, or a name that the monitor knows one by. */
  readonly name: string;
  /** The device's element. */
  readonly place: string;
}

/** What a real start gives besides the domain: without it, the command line is the reference's own. */
export interface Launch {
  /** The listening socket of the monitor. */
  readonly monitorFd: number;
  /** The other sockets that listen already, by the path that the XML gives them. */
  readonly listeners: readonly { readonly fd: number; readonly path: string }[];
  /** Connections to other programs' sockets, by the device that each is for. */
  readonly peers?: readonly LaunchPeer[];
  /** What listDescriptors() said, opened. */
  readonly descriptors: readonly Descriptor[];
  /** The taps of interfaces, by what QEMU calls its end. */
  readonly taps?: readonly LaunchTap[];
  /** The guest's own folder, where QEMU makes its sockets. */
  readonly folder: string;
  /** When it is, in seconds since 1970. Without it: a device that comes later. */
  readonly nowSeconds?: number;
  /** What QEMU opens by its own name, by what the XML says of it. */
  readonly named?: ReadonlyMap<string, string>;
}

/** Where the guest's TPM emulator listens, in the guest's own folder. */
export const TPM_SOCKET = "swtpm.sock";

/** What QEMU calls a shared folder. */
export function filesystemId(folders: readonly { readonly alias?: string }[], index: number): string {
  return folders[index]?.alias ?? `fs${deviceNumber(folders, index)}`;
}

/** Where the server of a folder listens, which has a process of its own. qemuVirtioFSCreateSocketFilename() of libvirt */
export function virtiofsSocket(folder: string, id: string): string {
  return `${folder}/${id}-fs.sock`;
}

/** Where QEMU waits for the program that serves a network card, by the card's place among the domain's interfaces. */
export function cardSocket(folder: string, index: number): string {
  return `${folder}/card${index}.sock`;
}

/** Whether a cache mode goes past the host's page cache. qemu(1) cache.direct */
export function isDirect(cache: string | undefined): boolean {
  return cache === "none" || cache === "directsync";
}

/** Whether QEMU opens the file again, by name, and so its user must have the right to. */
export function isOpenedByName({ purpose }: Pick<Descriptor, "purpose">): boolean {
  return WAYS[purpose] === "name";
}

/** Whether it is put into a set by -add-fd. */
export function isInSet({ purpose }: Pick<Descriptor, "purpose">): boolean {
  return WAYS[purpose] === "set";
}

/** What QEMU is told instead of a path: where it finds what svirt has opened. Without a launch, the path. */
export function handedName(
  launch: Launch | undefined,
  wanted: Pick<Descriptor, "path" | "purpose" | "access">,
): string {
  const handed = launch?.descriptors.find(
    ({ access, path, purpose }) =>
      path === wanted.path && purpose === wanted.purpose && access === wanted.access,
  );
  if (handed === undefined) return launch?.named?.get(wanted.path) ?? wanted.path;
  return isOpenedByName(handed) ? `/proc/self/fd/${handed.fd}` : fdsetPath(handed);
}

/** -chardev socket for a device that another program serves: the connection that svirt made, or else the path. */
export function peerPair(
  launch: Launch | undefined,
  served: { readonly place: string; readonly path: string | undefined },
): readonly [string, string | undefined] {
  const peer = peerOf(launch, served.place);
  return peer === undefined ? ["path", served.path] : ["fd", peer.name];
}

/** The connection of a device. */
export function peerOf(launch: Launch | undefined, place: string): LaunchPeer | undefined {
  return launch?.peers?.find((peer) => peer.place === place);
}

/**
 * QEMU locks no file that it is handed: svirt holds the locks, and policy lets guests take none, since one that reads a
 * shared image could keep all others from starting. qemu.git qapi/block-core.json BlockdevOptionsFile
 */
export function lockingKeys(launch: Launch | undefined): { readonly locking?: "off" } {
  return launch === undefined ? {} : { locking: "off" };
}

/** The set that a descriptor is put into by -add-fd: one of its own. */
export function fdsetPath({ fd }: Descriptor): string {
  return `/dev/fdset/${fd}`;
}
