import * as v from "valibot";
import { fileId } from "../facts/file.ts";
import { guestOrder, helperOrder } from "../facts/guest-order.ts";
import { aNumber, aString, maybeString } from "../facts/plain-schemas.ts";
import { claim, folderLimit, monitorCommand } from "../facts/step-parts.ts";
import { grantStep, lendStep, linkSocketStep, returnStep, unlinkSocketStep } from "./access.ts";
import { blockStep } from "./block.ts";
import { linkStep, mediumStep, memlockStep, plugStep, unplugStep } from "./device.ts";
import { shareStep } from "./host.ts";
import { ownerStep } from "./owner.ts";
import { pciStep } from "./pci.ts";
import { streamStep } from "./stream.ts";
import { treeStep } from "./tree.ts";

/**
 * One act of a start or of a stop, with all data to show, run and undo it. The record stores the steps of a start before the
 * first one runs, so that any later call can undo them after a crash. Each inverse may run whether or not its step did, and
 * any number of times.
 */
export const step = v.variant("do", [
  v.strictObject({ do: v.literal("reserve"), claim }),
  v.strictObject({ do: v.literal("release"), claim }),
  v.strictObject({
    do: v.literal("make-folder"),
    path: aString,
    mode: aNumber,
    uid: aNumber,
    label: maybeString,
    /** Separate file system in memory; absent: a plain folder of the file system around it. */
    limit: v.exactOptional(folderLimit),
  }),
  v.strictObject({
    do: v.literal("remove-folder"),
    path: aString,
    /** Whether a file system is mounted on it and is removed too. */
    isMounted: v.exactOptional(v.literal(true)),
  }),
  /** Link in a folder that an earlier step created. It is removed with the folder. */
  v.strictObject({ do: v.literal("make-link"), path: aString, target: aString }),
  v.strictObject({
    do: v.literal("set-label"),
    file: fileId,
    claim,
    from: maybeString,
    to: aString,
  }),
  v.strictObject({
    do: v.literal("restore-label"),
    file: fileId,
    claim,
    to: maybeString,
    from: aString,
  }),
  v.strictObject({
    do: v.literal("write-udev-rule"),
    path: aString,
    file: fileId,
    type: v.picklist(["block", "character"]),
    label: aString,
  }),
  v.strictObject({ do: v.literal("remove-udev-rule"), path: aString, file: fileId }),
  lendStep,
  returnStep,
  grantStep,
  v.strictObject({ do: v.literal("revoke"), file: fileId, uid: aNumber }),
  v.strictObject({ do: v.literal("expect-socket"), path: aString, label: maybeString }),
  v.strictObject({ do: v.literal("remove-socket"), path: aString, label: maybeString }),
  linkSocketStep,
  unlinkSocketStep,
  v.strictObject({ do: v.literal("spawn-helper"), order: helperOrder }),
  v.strictObject({ do: v.literal("spawn"), order: guestOrder }),
  v.strictObject({ do: v.literal("kill"), graceMs: aNumber }),
  v.strictObject({ do: v.literal("check-context"), context: aString }),
  v.strictObject({
    do: v.literal("greet"),
    monitor: aString,
    timeoutMs: aNumber,
    /** Whether to ask QEMU for the names of its terminals. */
    hasTerminals: v.exactOptional(v.literal(true)),
  }),
  v.strictObject({ do: v.literal("resume"), monitor: aString, commands: v.array(monitorCommand) }),
  plugStep,
  unplugStep,
  mediumStep,
  linkStep,
  memlockStep,
  blockStep,
  streamStep,
  shareStep,
  treeStep,
  pciStep,
  ownerStep,
]);
export type Step = v.InferOutput<typeof step>;

/**
 * Schema of a step, selected by its name. `step` tries all kinds in turn, which takes most of the time of reading a long
 * record.
 */
export const namedStep = v.lazy((value): v.GenericSchema<Step> => {
  const name = typeof value === "object" && value !== null && "do" in value ? value.do : undefined;
  return KINDS.get(name) ?? step;
});

type Kind = v.GenericSchema<Step> & { readonly entries: { readonly do: { readonly literal: string } } };
type Kinds = readonly (Kind | { readonly options: readonly Kind[] })[];

const KINDS: ReadonlyMap<unknown, Kind> = new Map(
  (step.options as Kinds)
    .flatMap((kind) => ("options" in kind ? kind.options : [kind]))
    .map((kind) => [kind.entries.do.literal, kind]),
);

/** Steps that act on files only. */
export type FileStep = Extract<
  Step,
  {
    do:
      | "make-folder"
      | "remove-folder"
      | "make-link"
      | "set-label"
      | "restore-label"
      | "write-udev-rule"
      | "remove-udev-rule"
      | "lend-folder"
      | "return-folder"
      | "grant"
      | "revoke"
      | "expect-socket"
      | "remove-socket"
      | "link-socket"
      | "unlink-socket";
  }
>;
