import * as v from "valibot";
import { fileId } from "../facts/file.ts";
import { aString, maybeString } from "../facts/plain-schemas.ts";
import { type Kinds, noInverse } from "./kind.ts";

/** File system to mount. A server is absent if the source is no server's. */
export const mountOrder = {
  server: maybeString,
  attempts: v.array(v.strictObject({ type: aString, options: v.array(aString) })),
  flags: v.array(v.picklist(["ro", "nosuid", "nodev", "noexec", "noatime", "nodiratime"])),
};

const common = {
  /** Path of the folder and the mount. */
  path: aString,
  /** Parent folder. */
  above: fileId,
  /** SERVER:FOLDER. */
  source: aString,
  /** Label of all files of the mount. */
  label: aString,
};

/** Mounts a folder of a server a second time, over itself, with the label of a single guest. */
const mountFolder = v.strictObject({
  do: v.literal("mount-folder"),
  ...common,
  folder: fileId,
  ...mountOrder,
});
const unmountFolder = v.strictObject({ do: v.literal("unmount-folder"), ...common });

/** Step on a guest's own mount of a folder. */
export type MountStep = v.InferOutput<typeof mountFolder | typeof unmountFolder>;

/** Definition of each kind of step in this file. */
export const mountSteps: Kinds<MountStep> = {
  "mount-folder": {
    schema: mountFolder,
    inverse: ({ above, label, path, source }) => ({ do: "unmount-folder", path, above, source, label }),
    describe: ({ label, path, source }) => `mount ${source} at ${path} (${label})`,
    where: "host",
    record: "kept",
    releases: "nothing",
  },
  "unmount-folder": {
    schema: unmountFolder,
    inverse: noInverse,
    describe: ({ path, source }) => `unmount ${source} from ${path}`,
    where: "host",
    record: "kept",
    releases: "nothing",
  },
};
