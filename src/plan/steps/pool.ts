import * as v from "valibot";
import { fileId } from "../facts/file.ts";
import { aNumber, aString, maybeString } from "../facts/plain-schemas.ts";
import { type Kinds, noInverse } from "./kind.ts";
import { mountOrder } from "./mount.ts";

const permissions = v.strictObject({ uid: aNumber, gid: aNumber, mode: aNumber, label: maybeString });

/** Makes the folder of a pool, or a folder above it, where nothing exists. */
const makePoolFolder = v.strictObject({
  do: v.literal("make-pool-folder"),
  path: aString,
  mode: aNumber,
  /** Parent folder; absent: an earlier step makes it. */
  above: v.exactOptional(fileId),
  /** Absent: the caller's. */
  uid: v.exactOptional(aNumber),
  gid: v.exactOptional(aNumber),
  /** Absent: the kernel's label of a new folder there. */
  label: maybeString,
});

/** Removes a folder that a build has made. A folder with files, with a mount or of a guest stays. */
const dropPoolFolder = v.strictObject({ do: v.literal("drop-pool-folder"), path: aString });

/** Removes the folder of a pool, which must be empty. */
const removePoolFolder = v.strictObject({ do: v.literal("remove-pool-folder"), folder: fileId });

/** Gives a folder that exists owner, group, mode and label. Without a label it keeps its own. */
const setPermissions = v.strictObject({
  do: v.literal("set-pool-permissions"),
  folder: fileId,
  from: permissions,
  to: permissions,
});

/**
 * Gives a folder the properties of `to` again. A property that is no longer that of `from` stays as it is.
 * Another folder at the path is left alone.
 */
const restorePermissions = v.strictObject({
  do: v.literal("restore-pool-permissions"),
  folder: fileId,
  from: permissions,
  to: permissions,
});

/** Command of a program, such as LVM or sfdisk, and its purpose for messages. */
const tool = { words: v.array(aString), attempt: aString, input: v.exactOptional(aString) };

/** Whether its failure is no error: the step that it undoes may have changed nothing. */
const mayFail = v.exactOptional(v.literal(true));

/** Runs a program that changes storage. */
const runTool = v.strictObject({
  do: v.literal("run-tool"),
  ...tool,
  /** Command that undoes it; absent: none is needed. */
  back: v.exactOptional(v.strictObject({ ...tool, mayFail })),
  mayFail,
});

/** Makes a file system on a device. */
const makeFileSystem = v.strictObject({
  do: v.literal("make-file-system"),
  device: fileId,
  type: aString,
  words: v.array(aString),
});

/** Mounts the source of a pool, which was opened before. */
const mountPool = v.strictObject({
  do: v.literal("mount-pool"),
  path: aString,
  /** Path of a block device, or SERVER:FOLDER. */
  source: aString,
  ...mountOrder,
  /** Label of its root, if its files have labels of their own; absent: it keeps its own. */
  label: maybeString,
  /** Label of all files, if they have none of their own; absent: SELinux is disabled. */
  labelOfAll: maybeString,
  /** The folder, and its parent; absent: an earlier step makes it. */
  folder: v.exactOptional(fileId),
  above: v.exactOptional(fileId),
});
const unmountPool = v.strictObject({
  do: v.literal("unmount-pool"),
  path: aString,
  source: aString,
  above: fileId,
});

/** Target of iSCSI, with the interface of open-iscsi; absent: the default. */
const target = { name: aString, portal: aString, iface: maybeString };

/** Runs a command of iscsiadm before a login: for example, it makes a record of the target. */
const prepareLogin = v.strictObject({
  do: v.literal("prepare-login"),
  target: aString,
  portal: aString,
  words: v.array(aString),
  mayFail,
});

/** Writes user and password into open-iscsi's record of a target. The password is no part of the step. */
const setPassword = v.strictObject({ do: v.literal("set-iscsi-password"), ...target, user: aString });

/** Logs in to a target of iSCSI, and makes a record of it if none exists. */
const logIn = v.strictObject({ do: v.literal("log-in-target"), ...target });
const logOut = v.strictObject({ do: v.literal("log-out-target"), ...target });

/** Step on the storage of a pool. */
export type PoolStep = v.InferOutput<
  | typeof makePoolFolder
  | typeof dropPoolFolder
  | typeof removePoolFolder
  | typeof setPermissions
  | typeof restorePermissions
  | typeof runTool
  | typeof makeFileSystem
  | typeof mountPool
  | typeof unmountPool
  | typeof prepareLogin
  | typeof setPassword
  | typeof logIn
  | typeof logOut
>;

const common = { where: "host", record: "dropped", releases: "nothing" } as const;

/** Definition of each kind of step in this file. */
export const poolSteps: Kinds<PoolStep> = {
  "make-pool-folder": {
    schema: makePoolFolder,
    inverse: ({ path }) => ({ do: "drop-pool-folder", path }),
    describe: ({ gid, label, mode, path, uid }) =>
      `create folder ${path} (${listed({ mode, uid, gid }, label ?? "default label")})`,
    ...common,
  },
  "drop-pool-folder": {
    schema: dropPoolFolder,
    inverse: noInverse,
    describe: ({ path }) => `remove folder ${path}, if it is empty and unused`,
    ...common,
  },
  "remove-pool-folder": {
    schema: removePoolFolder,
    inverse: noInverse,
    describe: ({ folder }) => `remove the empty folder ${folder.path}`,
    ...common,
  },
  "set-pool-permissions": {
    schema: setPermissions,
    inverse: ({ folder, from, to }) => ({ do: "restore-pool-permissions", folder, from: to, to: from }),
    describe: ({ folder, from, to }) =>
      `change ${folder.path} from ${listed(from, from.label)} to ${listed(to, to.label ?? "label unchanged")}`,
    ...common,
  },
  "restore-pool-permissions": {
    schema: restorePermissions,
    inverse: noInverse,
    describe: ({ folder, to }) => `give ${folder.path} back ${listed(to, to.label ?? "label unchanged")}`,
    ...common,
  },
  "run-tool": {
    schema: runTool,
    inverse: ({ back }) => back && { do: "run-tool", ...back },
    describe: ({ attempt, input, words }) =>
      `${attempt}: ${words.join(" ")}${input === undefined ? "" : ` (input: ${input.trim()})`}`,
    ...common,
  },
  "make-file-system": {
    schema: makeFileSystem,
    inverse: noInverse,
    describe: ({ device, type, words }) =>
      `make a file system of type ${type} on ${device.path}: ${words.join(" ")}`,
    ...common,
  },
  "mount-pool": {
    schema: mountPool,
    inverse: ({ above, path, source }) => above && { do: "unmount-pool", path, source, above },
    describe: describeMount,
    ...common,
  },
  "unmount-pool": {
    schema: unmountPool,
    inverse: noInverse,
    describe: ({ path, source }) => `unmount ${source} from ${path}`,
    ...common,
  },
  "prepare-login": {
    schema: prepareLogin,
    inverse: noInverse,
    describe: ({ target: name, words }) => `prepare the login to ${name}: ${words.join(" ")}`,
    ...common,
  },
  "set-iscsi-password": {
    schema: setPassword,
    inverse: noInverse,
    describe: ({ name, user }) => `write the password of ${user} into open-iscsi's record of ${name}`,
    ...common,
  },
  "log-in-target": {
    schema: logIn,
    inverse: (step) => ({ ...step, do: "log-out-target" }),
    describe: ({ name, portal }) => `log in to the iSCSI target ${name} at ${portal}`,
    ...common,
  },
  "log-out-target": {
    schema: logOut,
    inverse: noInverse,
    describe: ({ name, portal }) => `log out of the iSCSI target ${name} at ${portal}`,
    ...common,
  },
};

function describeMount({
  attempts,
  flags,
  label = "labels of its own",
  labelOfAll,
  path,
  source,
}: v.InferOutput<typeof mountPool>): string {
  const types = [...new Set(attempts.map(({ type }) => type))].join(" or ");
  const labels = labelOfAll === undefined ? "no labels" : `${label}; without labels of files ${labelOfAll}`;
  return `mount ${source} at ${path} (${[types, ...flags].join(", ")}; ${labels})`;
}

function listed(
  {
    gid,
    mode,
    uid,
  }: { readonly mode: number; readonly uid?: number | undefined; readonly gid?: number | undefined },
  label: string | undefined,
): string {
  return [
    `mode ${mode.toString(8)}`,
    ...(uid === undefined ? [] : [`uid ${uid}`]),
    ...(gid === undefined ? [] : [`gid ${gid}`]),
    ...(label === undefined ? [] : [label]),
  ].join(", ");
}
