import * as v from "valibot";
import { fileId } from "./file.ts";
import { aNumber, aString, maybeString } from "./plain-schemas.ts";
import { handedTap } from "./tap.ts";

/** A file that is opened by svirt and handed to the guest under a number of its own. */
export const handedFile = v.strictObject({
  fd: aNumber,
  file: fileId,
  access: v.picklist(["read-only", "read-write", "append"]),
  /** Emptied when it is opened. */
  truncate: v.boolean(),
  /** Past the page cache: QEMU takes a descriptor only if it is opened as the guest's cache mode wants. O_DIRECT, open(2) */
  direct: v.boolean(),
  /** Without waiting for the other side of a line. O_NONBLOCK, open(2) */
  nonBlocking: v.exactOptional(v.literal(true)),
  /** An image that svirt locks for QEMU; `isFirst` is false where the guest itself holds a lock already. */
  lock: v.exactOptional(
    v.strictObject({ as: v.picklist(["reader", "writer", "sharer"]), isFirst: v.boolean() }),
  ),
});
export type HandedFile = v.InferOutput<typeof handedFile>;

/** A socket that svirt listens on for the guest: nobody can be faster than svirt at its path. */
const handedSocket = v.strictObject({
  fd: aNumber,
  path: aString,
  /** Outside the guest's own folder: the folder that was inspected. Whatever is there by that name is left alone. */
  within: v.exactOptional(fileId),
  /** The label of its name; absent: what the policy gives it there. */
  label: maybeString,
});
export type HandedSocket = v.InferOutput<typeof handedSocket>;

const connection = {
  socket: fileId,
  /** That of the connection, so that no other guest could use it; absent: svirt's own. */
  context: maybeString,
};

/** A socket of another program's that svirt connects to for the guest: QEMU gets the connection. */
const handedPeer = v.strictObject({ fd: aNumber, ...connection });
export type HandedPeer = v.InferOutput<typeof handedPeer>;

/** The same for a QEMU that runs: its monitor gets the connection under a name. */
export const pluggedPeer = v.strictObject({
  name: aString,
  /** As whom svirt connects. */
  uid: aNumber,
  ...connection,
});
export type PluggedPeer = v.InferOutput<typeof pluggedPeer>;

/** How much memory QEMU may keep from being swapped out. RLIMIT_MEMLOCK, getrlimit(2) */
export const memlockKiB = v.union([aNumber, v.literal("unlimited")]);

/** How many descriptors a process may have, at the most. RLIMIT_NOFILE, getrlimit(2) */
const mostDescriptors = v.exactOptional(aNumber);

/** How a guest's process is begun: by a reaper, as a user of its own, in a context, with nothing but what is listed. */
export const guestOrder = v.strictObject({
  uuid: aString,
  program: aString,
  words: v.array(aString),
  environment: v.record(aString, aString),
  /** Absent: the guest is not confined and runs in svirt's own context. */
  context: maybeString,
  uid: aNumber,
  /** The control group that it begins in. */
  group: maybeString,
  /** Absent: as much as svirt itself. */
  memlockKiB: v.exactOptional(memlockKiB),
  /** Absent: as many as svirt itself, as a record of an older svirt. */
  mostDescriptors,
  /** In /run: the reaper writes `pid` and `exit` there. */
  folder: aString,
  workFolder: aString,
  logFile: aString,
  /** The first is the monitor's. Numbers run on from 3 through sockets, peers, files, and the queues of each tap. */
  sockets: v.array(handedSocket),
  peers: v.exactOptional(v.array(handedPeer)),
  files: v.array(handedFile),
  taps: v.exactOptional(v.array(handedTap)),
});
export type GuestOrder = v.InferOutput<typeof guestOrder>;

/** Another process of the guest, as its user and in its context, which QEMU talks to. It ends with the guest. */
export const helperOrder = v.strictObject({
  program: aString,
  words: v.array(aString),
  environment: v.record(aString, aString),
  context: maybeString,
  uid: aNumber,
  /** A folder of svirt's; or one of the host's, the very one that was inspected. */
  workFolder: v.union([aString, fileId]),
  logFile: aString,
  /** Absent: as many as svirt itself. */
  mostDescriptors,
  /** The socket that it makes when it is ready. */
  ready: aString,
});
export type HelperOrder = v.InferOutput<typeof helperOrder>;
