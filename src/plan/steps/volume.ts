import * as v from "valibot";
import { fileId } from "../facts/file.ts";
import { GIVEN_FORMATS } from "../facts/given-format.ts";
import { aNumber, aString, maybeString } from "../facts/plain-schemas.ts";
import { type Kinds, noInverse } from "./kind.ts";

/** Makes the file of a volume, complete or not at all, where no file exists. */
const makeVolume = v.strictObject({
  do: v.literal("make-volume"),
  path: aString,
  folder: fileId,
  name: aString,
  /** Format of its image, and the size that a guest sees. */
  format: aString,
  capacityBytes: v.exactOptional(aNumber),
  reservedBytes: aNumber,
  isNocow: v.boolean(),
  mode: aNumber,
  /** Absent: the caller's. */
  uid: v.exactOptional(aNumber),
  gid: v.exactOptional(aNumber),
  /** Absent: the kernel's label of a new file in the folder. */
  label: maybeString,
  /** Path of the volume with its data; absent: it is empty. */
  source: maybeString,
  /** Recorded format of its content; absent: the operator decides it with the content. */
  written: v.exactOptional(v.picklist(GIVEN_FORMATS)),
  /** Folder of svirt with the formats of files that keep no attribute. */
  formats: aString,
});

/** Removes the file of a volume, and its recorded format. */
const removeVolume = v.strictObject({ do: v.literal("remove-volume"), file: fileId, formats: aString });

/** Changes the capacity of a volume's image. */
const resizeVolume = v.strictObject({
  do: v.literal("resize-volume"),
  file: fileId,
  format: aString,
  fromBytes: aNumber,
  /** Capacity of a qcow2 image; size of any other file. */
  sizeBytes: aNumber,
  reservedBytes: aNumber,
});

/** Overwrites a part of a volume with the operator's input. An interruption leaves it written in part. */
const fillVolume = v.strictObject({
  do: v.literal("fill-volume"),
  file: fileId,
  /** Path of the input; - is standard input. */
  from: aString,
  offset: aNumber,
  /** Most bytes; absent: all of the input. */
  mostBytes: v.exactOptional(aNumber),
  /** Whether holes of the input stay holes. */
  isSparse: v.boolean(),
});

/** Makes all bytes of a volume zero. An interruption leaves it zero in part. */
const wipeVolume = v.strictObject({
  do: v.literal("wipe-volume"),
  file: fileId,
  /** Whether its disk space stays, or is freed. */
  method: v.picklist(["zero", "trim"]),
});

/**
 * Gives a device, or a part of a disk, the data of another volume, and zeros behind it. The data is no part
 * of the step.
 */
const fillDevice = v.strictObject({
  do: v.literal("fill-device"),
  path: aString,
  /** Device; absent: an earlier step makes it. */
  device: v.exactOptional(fileId),
  /** Part of the disk, in bytes; absent: the whole device. */
  part: v.exactOptional(v.strictObject({ start: aNumber, end: aNumber })),
  source: aString,
});

/** Gives the node of a new volume owner, group and mode. An absent one stays as it is. */
const ownDevice = v.strictObject({
  do: v.literal("own-device"),
  path: aString,
  /** Device; absent: an earlier step makes it. */
  device: v.exactOptional(fileId),
  mode: v.exactOptional(aNumber),
  uid: v.exactOptional(aNumber),
  gid: v.exactOptional(aNumber),
});

/** Makes a partition of the table known to the kernel, or unknown, unless the kernel has read the table. */
const tellKernel = v.strictObject({
  do: v.literal("tell-kernel"),
  act: v.picklist(["add", "delete"]),
  disk: fileId,
  number: aNumber,
  words: v.array(aString),
});

/**
 * Step on a volume: its file, or its device. None has an inverse. Data written over other data cannot be
 * undone. A new device has another name, or is not in the table, until it has its data. After an interruption
 * any other step is done or not begun.
 */
export type VolumeStep = v.InferOutput<
  | typeof makeVolume
  | typeof removeVolume
  | typeof resizeVolume
  | typeof fillVolume
  | typeof wipeVolume
  | typeof fillDevice
  | typeof ownDevice
  | typeof tellKernel
>;

const common = { inverse: noInverse, where: "host", record: "dropped", releases: "nothing" } as const;

/** Definition of each kind of step in this file. */
export const volumeSteps: Kinds<VolumeStep> = {
  "make-volume": { schema: makeVolume, describe: describeMade, ...common },
  "remove-volume": { schema: removeVolume, describe: ({ file }) => `remove ${file.path}`, ...common },
  "resize-volume": {
    schema: resizeVolume,
    describe: ({ file, format, fromBytes, sizeBytes }) =>
      `change ${file.path} from ${fromBytes} to ${sizeBytes} bytes (${format})`,
    ...common,
  },
  "fill-device": {
    schema: fillDevice,
    describe: ({ part, path, source }) => {
      const place = part === undefined ? "" : ` from byte ${part.start} to ${part.end}`;
      return `write the data of ${source} to ${path}${place}`;
    },
    ...common,
  },
  "own-device": {
    schema: ownDevice,
    describe: ({ gid, mode, path, uid }) =>
      `change ${path} to ${[
        ...(mode === undefined ? [] : [`mode ${mode.toString(8)}`]),
        ...(uid === undefined ? [] : [`uid ${uid}`]),
        ...(gid === undefined ? [] : [`gid ${gid}`]),
      ].join(", ")}`,
    ...common,
  },
  "tell-kernel": {
    schema: tellKernel,
    describe: ({ act, disk, number, words }) =>
      `${act === "add" ? "show" : "hide"} the partition ${number} of ${disk.path}, unless the kernel has read the table: ${words.join(" ")}`,
    ...common,
  },
  "fill-volume": { schema: fillVolume, describe: describeFilled, ...common },
  "wipe-volume": {
    schema: wipeVolume,
    describe: ({ file, method }) =>
      `overwrite ${file.path} with zeros${method === "trim" ? ", and free its disk space" : ""}`,
    ...common,
  },
};

function describeMade({
  capacityBytes,
  format,
  gid,
  label,
  mode,
  path,
  source,
  uid,
}: Extract<VolumeStep, { readonly do: "make-volume" }>): string {
  const properties = [
    format,
    ...(capacityBytes === undefined ? [] : [`${capacityBytes} bytes`]),
    `mode ${mode.toString(8)}`,
    ...(uid === undefined ? [] : [`uid ${uid}`]),
    ...(gid === undefined ? [] : [`gid ${gid}`]),
    label ?? "default label",
  ];
  const data = source === undefined ? "" : ` with the data of ${source}`;
  return `create ${path}${data} (${properties.join(", ")})`;
}

function describeFilled({
  file,
  from,
  mostBytes,
  offset,
}: Extract<VolumeStep, { readonly do: "fill-volume" }>): string {
  const most = mostBytes === undefined ? "" : `, at most ${mostBytes} bytes`;
  const input = from === "-" ? "standard input" : from;
  return `overwrite ${file.path} from byte ${offset} with ${input}${most}`;
}
