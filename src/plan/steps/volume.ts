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

/**
 * Step on the file of a volume. Each is a single call, done or not begun after an interruption: none needs an
 * inverse.
 */
export type VolumeStep = v.InferOutput<typeof makeVolume | typeof removeVolume | typeof resizeVolume>;

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
