import * as v from "valibot";
import type { RecordedChange } from "../../plan/change/object-change.ts";
import { aString } from "../../plan/facts/plain-schemas.ts";
import type { Step } from "../../plan/steps/step.ts";
import { defineStep, markStep, readDefinition } from "../definitions.ts";
import type { Instance } from "../instance.ts";
import { endServerStep } from "../networks/network-server.ts";
import { listNetworkEntries, networkStore, readNetwork } from "../networks/networks.ts";
import { readRecord } from "../record.ts";
import { snapshotsStep } from "../snapshots/snapshots.ts";
import { storedUuid } from "../xml-files.ts";

/** Forms of records of an older svirt. */
export type OldFormName = "bridge" | "images" | "rename" | "update";

/**
 * Returns the rest of the change in a text of the form; undefined if nothing is left to do. Throws the errors
 * of valibot and JSON.parse().
 */
type Convert = (instance: Instance, text: string, path: string) => RecordedChange | undefined;

/** Conversion of each form. */
export const CONVERSIONS: Readonly<Record<OldFormName, Convert>> = {
  bridge: convertBridge,
  images: convertImages,
  rename: convertRename,
  update: convertUpdate,
};

const bridgeForm = v.strictObject({
  network: aString,
  bridge: v.strictObject({ name: aString, mac: aString }),
  rulesOf: v.exactOptional(aString),
  serverOf: v.exactOptional(aString),
  limit: v.exactOptional(aString),
});

/** The bridge of a network that was starting or ending. */
function convertBridge(instance: Instance, text: string): RecordedChange | undefined {
  const { bridge, limit, network, rulesOf, serverOf } = v.parse(bridgeForm, JSON.parse(text));
  if (listNetworkEntries(instance).some(({ isActive, name }) => isActive && name === network))
    return undefined;
  const steps: readonly Step[] = [
    ...(serverOf === undefined ? [] : [endServerStep(instance, { name: network, uuid: serverOf })]),
    { do: "remove-bridge", ...bridge },
    ...(limit === undefined ? [] : [{ do: "remove-tap-rules", table: limit } as const]),
    ...(rulesOf === undefined ? [] : [{ do: "remove-network-rules", uuid: rulesOf } as const]),
  ];
  // A network without rules and addresses may have no definition either.
  const key = rulesOf ?? serverOf ?? readNetwork(instance, network)?.uuid ?? bridge.mac;
  return { object: { kind: "network", key }, what: `net-destroy ${network}`, steps, commit: "begin" };
}

const documents = v.strictObject({ defined: aString, active: aString });
const updateForm = v.strictObject({ name: aString, request: aString, before: documents, after: documents });

/** Two documents of a network that were to be written. */
function convertUpdate(instance: Instance, text: string): RecordedChange {
  const { after, before, name } = v.parse(updateForm, JSON.parse(text));
  const steps = [
    { ...networkStore.defineStep(instance, name, after.defined), from: before.defined },
    { ...networkStore.activeStep(instance, name, after.active), from: before.active },
  ];
  const key = storedUuid(after.defined) ?? "";
  return { object: { kind: "network", key }, what: `net-update ${name}`, steps, commit: "begin" };
}

const renameForm = v.strictObject({
  uuid: aString,
  from: aString,
  to: aString,
  isMarked: v.boolean(),
  isMarkedOnce: v.exactOptional(v.boolean()),
});

/** A domain that was given another name. A guest that was started meanwhile keeps its name. */
function convertRename(instance: Instance, text: string): RecordedChange | undefined {
  const { from, isMarked, isMarkedOnce = false, to, uuid } = v.parse(renameForm, JSON.parse(text));
  const isDefined = (name: string): boolean => readDefinition(instance, name)?.uuid === uuid;
  if (!isDefined(to)) return undefined;
  const unmark = (name: string): readonly Step[] =>
    (["always", "once"] as const).map((when) => markStep(instance, name, { when, wanted: false }));
  const keepsOld = isDefined(from) && readRecord(instance, uuid)?.name === from;
  const steps = keepsOld
    ? [defineStep(instance, to, undefined), ...unmark(to)]
    : [
        ...(isMarked ? [markStep(instance, to, { when: "always", wanted: true })] : []),
        ...(isMarkedOnce ? [markStep(instance, to, { when: "once", wanted: true })] : []),
        ...(isDefined(from) ? [defineStep(instance, from, undefined), ...unmark(from)] : []),
      ];
  return { object: { kind: "domain", key: uuid }, what: `domrename ${from} ${to}`, steps, commit: "begin" };
}

/** New images of a domain that was off, with its definition and its snapshots. */
function convertImages(instance: Instance, text: string, path: string): RecordedChange {
  const { parseSnapshotChange }: typeof import("../snapshots/snapshot-schema.ts") =
    require("../snapshots/snapshot-schema.ts");
  const { definition, images, name, tree } = parseSnapshotChange(text);
  const key = path.slice(path.lastIndexOf("/") + 1, path.lastIndexOf("."));
  const steps: readonly Step[] = [
    ...images.map((image) => ({ do: "make-image", ...image }) as const),
    { ...defineStep(instance, name, definition), names: images.map((image) => image.path) },
    snapshotsStep(instance, key, tree),
  ];
  const object = { kind: "domain", key } as const;
  return { object, what: `snapshot-create ${name}`, steps, commit: images.length };
}
