import * as v from "valibot";
import { fileId } from "./file.ts";
import { aNumber, aString, maybeString } from "./plain-schemas.ts";
import { passedTap } from "./tap.ts";

/** File opened by svirt and passed to the guest under the number `fd`. */
export const passedFile = v.strictObject({
  fd: aNumber,
  file: fileId,
  access: v.picklist(["read-only", "read-write", "append"]),
  /** Whether opening truncates the file. */
  truncate: v.boolean(),
  /** Bypasses the page cache: QEMU accepts a descriptor only in the guest's cache mode. O_DIRECT, open(2) */
  direct: v.boolean(),
  /** Opens a line without waiting for its other side. O_NONBLOCK, open(2) */
  nonBlocking: v.exactOptional(v.literal(true)),
  /** Lock that svirt acquires on an image for QEMU; `isFirst` is false if the guest already holds a lock. */
  lock: v.exactOptional(
    v.strictObject({ as: v.picklist(["reader", "writer", "sharer"]), isFirst: v.boolean() }),
  ),
});
export type PassedFile = v.InferOutput<typeof passedFile>;

/** Socket with svirt listening for the guest: no other program can bind its path first. */
const passedSocket = v.strictObject({
  fd: aNumber,
  path: aString,
  /**
   * The inspected folder of a socket outside the guest's folder. An existing file of the socket's name is
   * kept.
   */
  within: v.exactOptional(fileId),
  /** Label of the socket file; absent: the policy's default. */
  label: maybeString,
});
export type PassedSocket = v.InferOutput<typeof passedSocket>;

const connection = {
  socket: fileId,
  /** Context of the connection, so that no other guest can use it; absent: svirt's own. */
  context: maybeString,
};

/** Socket of another program. svirt connects to it, and QEMU gets the connection. */
const passedPeer = v.strictObject({ fd: aNumber, ...connection });
export type PassedPeer = v.InferOutput<typeof passedPeer>;

/** Socket of another program for a running QEMU, whose monitor gets the connection under `name`. */
export const pluggedPeer = v.strictObject({
  name: aString,
  /** User ID of svirt's connection. */
  uid: aNumber,
  ...connection,
});
export type PluggedPeer = v.InferOutput<typeof pluggedPeer>;

/** Maximum of QEMU's memory locked against swapping. RLIMIT_MEMLOCK, getrlimit(2) */
export const memlockKiB = v.union([aNumber, v.literal("unlimited")]);

/** Maximum number of descriptors of a process. RLIMIT_NOFILE, getrlimit(2) */
const mostDescriptors = v.exactOptional(aNumber);

/**
 * Launch specification of QEMU. A reaper starts it with this user and context, and with the listed
 * descriptors only.
 */
export const launchSpec = v.strictObject({
  uuid: aString,
  program: aString,
  words: v.array(aString),
  environment: v.record(aString, aString),
  /** Absent: the guest is not confined and runs in svirt's own context. */
  context: maybeString,
  uid: aNumber,
  /** Control group of the process from its start. */
  group: maybeString,
  /** Absent: svirt's own limit. */
  memlockKiB: v.exactOptional(memlockKiB),
  /** Absent, as in records of older versions: svirt's own limit. */
  mostDescriptors,
  /** Folder in /run where the reaper writes `pid` and `exit`. */
  folder: aString,
  workFolder: aString,
  logFile: aString,
  /**
   * The first socket is the monitor's. Numbers continue from 3 through sockets, peers, files, the queues of
   * each tap, and `events`.
   */
  sockets: v.array(passedSocket),
  peers: v.exactOptional(v.array(passedPeer)),
  files: v.array(passedFile),
  taps: v.exactOptional(v.array(passedTap)),
  /** Socket of the second monitor, for events; absent in records of older versions. */
  events: v.exactOptional(passedSocket),
});
export type LaunchSpec = v.InferOutput<typeof launchSpec>;

/**
 * Launch specification of a helper process that QEMU talks to. It has the guest's user and context, and ends
 * with the guest.
 */
export const helperSpec = v.strictObject({
  program: aString,
  words: v.array(aString),
  environment: v.record(aString, aString),
  context: maybeString,
  uid: aNumber,
  /** A folder of svirt, or the inspected folder of the host. */
  workFolder: v.union([aString, fileId]),
  logFile: aString,
  /** Absent: svirt's own limit. */
  mostDescriptors,
  /** Socket created by the helper when it is ready. */
  ready: aString,
});
export type HelperSpec = v.InferOutput<typeof helperSpec>;
