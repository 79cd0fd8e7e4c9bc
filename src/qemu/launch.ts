import { deviceNumber } from "./device-number.ts";

/** QEMU's use of a descriptor opened by svirt. */
type DescriptorAccess = "read-only" | "read-write" | "append";

/**
 * How QEMU reaches a file. "set": by a descriptor set of -add-fd. "name": by /proc/self/fd, which leads to
 * the file opened by svirt, if QEMU's user may open it. "number": by the descriptor's number in an option.
 */
const WAYS = {
  image: "set",
  flash: "set",
  chardev: "set",
  random: "set",
  kvm: "set",
  usb: "set",
  tpm: "set",
  // Option vhostfd takes the number.
  vhost: "number",
  rom: "name",
  kernel: "name",
  initrd: "name",
  "boot-file": "name",
  memory: "name",
  input: "name",
  folder: "name",
  // QEMU decides from the name whether it is a generic SCSI node. qemu.git block/file-posix.c hdev_is_sg()
  scsi: "name",
} as const;
type Purpose = keyof typeof WAYS;

/** A file of the host opened by svirt and passed to QEMU under a fixed number. */
export interface Descriptor {
  readonly fd: number;
  readonly path: string;
  readonly access: DescriptorAccess;
  readonly purpose: Purpose;
  /** Truncated at open: the log of a chardev without `append='on'`. */
  readonly truncate: boolean;
  /**
   * Opened with O_DIRECT, past the host's cache. QEMU takes a descriptor from a set only if this flag
   * matches.
   */
  readonly direct: boolean;
  /** The device owning the descriptor, if each device needs a separate descriptor of a file. */
  readonly owner?: string;
  /** Opened without waiting for the other end, such as a line without a peer. O_NONBLOCK, open(2) */
  readonly nonBlocking?: true;
  /** Set for an image: how QEMU uses it. */
  readonly lock?: { readonly as: "reader" | "writer" | "sharer"; readonly isFirst: boolean };
}

/** Queues of a tap: numbers of descriptors, or names by which the monitor knows them. */
export interface LaunchTap {
  readonly netdev: string;
  readonly queues: readonly string[];
  /** Empty if QEMU carries the frames instead of vhost in the host's kernel. */
  readonly vhosts: readonly string[];
}

/** A connection made by svirt for a device. */
export interface LaunchPeer {
  /** The number of a descriptor, or the name by which the monitor knows it. */
  readonly name: string;
  /** Path of the device's element. */
  readonly place: string;
}

/** Facts of a real start, in addition to the domain. Without them the command line is libvirt's. */
export interface Launch {
  /** The listening socket of the monitor. */
  readonly monitorFd: number;
  /** The listening socket of the second monitor, for events. Absent for a device that is attached later. */
  readonly eventsFd?: number;
  /** Other sockets that already listen, by the path in the XML. */
  readonly listeners: readonly { readonly fd: number; readonly path: string }[];
  /** Connections to sockets of other programs, by device. */
  readonly peers?: readonly LaunchPeer[];
  /** The opened descriptors of listDescriptors(). */
  readonly descriptors: readonly Descriptor[];
  /** Taps of interfaces, by the id of QEMU's netdev. */
  readonly taps?: readonly LaunchTap[];
  /** The guest's folder, for QEMU's sockets. */
  readonly folder: string;
  /** Folder of root for the values of secrets until QEMU has read them. */
  readonly secretFolder?: string;
  /** Time of the start, in seconds since 1970. Absent for a device that is attached later. */
  readonly nowSeconds?: number;
  /** Paths that QEMU opens itself, by the path in the XML. */
  readonly named?: ReadonlyMap<string, string>;
}

/** Name of the socket of the guest's TPM emulator, in the guest's folder. */
export const TPM_SOCKET = "swtpm.sock";

/** Returns the id of a shared folder in QEMU. */
export function filesystemId(folders: readonly { readonly alias?: string }[], index: number): string {
  return folders[index]?.alias ?? `fs${deviceNumber(folders, index)}`;
}

/** Returns the socket of virtiofsd for a shared folder. qemuVirtioFSCreateSocketFilename() of libvirt */
export function virtiofsSocket(folder: string, id: string): string {
  return `${folder}/${id}-fs.sock`;
}

/** Returns QEMU's socket for the server of a network card. `index`: its place among the interfaces. */
export function cardSocket(folder: string, index: number): string {
  return `${folder}/card${index}.sock`;
}

/** Reports whether a cache mode bypasses the host's page cache. qemu(1) cache.direct */
export function isDirect(cache: string | undefined): boolean {
  return cache === "none" || cache === "directsync";
}

/** Reports whether QEMU opens the file again by name. Its user then needs the right to open it. */
export function isOpenedByName({ purpose }: Pick<Descriptor, "purpose">): boolean {
  return WAYS[purpose] === "name";
}

/** Reports whether -add-fd puts the descriptor into a set. */
export function isInSet({ purpose }: Pick<Descriptor, "purpose">): boolean {
  return WAYS[purpose] === "set";
}

/** Returns the name in QEMU of a file opened by svirt. Without a launch, the path. */
export function passedName(
  launch: Launch | undefined,
  wanted: Pick<Descriptor, "path" | "purpose" | "access">,
): string {
  const passed = launch?.descriptors.find(
    ({ access, path, purpose }) =>
      path === wanted.path && purpose === wanted.purpose && access === wanted.access,
  );
  if (passed === undefined) return launch?.named?.get(wanted.path) ?? wanted.path;
  return isOpenedByName(passed) ? `/proc/self/fd/${passed.fd}` : fdsetPath(passed);
}

/**
 * Returns the pair for -chardev socket of a device served by another program: svirt's connection, or else the
 * path.
 */
export function peerPair(
  launch: Launch | undefined,
  served: { readonly place: string; readonly path: string | undefined },
): readonly [string, string | undefined] {
  const peer = peerOf(launch, served.place);
  return peer === undefined ? ["path", served.path] : ["fd", peer.name];
}

/** Returns the connection of the device at `place`. */
export function peerOf(launch: Launch | undefined, place: string): LaunchPeer | undefined {
  return launch?.peers?.find((peer) => peer.place === place);
}

/**
 * Returns the key that turns QEMU's locks off in a real start: svirt holds the locks. The policy denies locks
 * on shared images to guests, since a reader could keep other guests from starting. qemu.git
 * qapi/block-core.json BlockdevOptionsFile
 */
export function lockingKeys(launch: Launch | undefined): { readonly locking?: "off" } {
  return launch === undefined ? {} : { locking: "off" };
}

/** Returns the path of the descriptor's set. -add-fd gives each descriptor its own. */
export function fdsetPath({ fd }: Descriptor): string {
  return `/dev/fdset/${fd}`;
}
