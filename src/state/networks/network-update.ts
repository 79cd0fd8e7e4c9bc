import * as v from "valibot";
import { errorsOf, joinErrors, SvirtError } from "../../errors.ts";
import { aString } from "../../plan/facts/plain-schemas.ts";
import type { Instance } from "../instance.ts";
import { listNetworks, writeActiveNetwork, writeDefinedNetwork } from "./networks.ts";

const documents = v.strictObject({ defined: aString, active: aString });

/** Update of a network's definition and active XML, in `/run/svirt/network-update.json` until both are written. */
const networkUpdate = v.strictObject({
  name: aString,
  /** Identifies the command, so that its repetition is not a second update. */
  request: aString,
  before: documents,
  after: documents,
});
export type NetworkUpdateRecord = v.InferOutput<typeof networkUpdate>;

/**
 * Writes the definition and the active XML of a network, or neither if one cannot be written. If it is interrupted,
 * finishNetworkUpdate() writes the rest. The caller holds the registry's lock.
 */
export function writeNetworkUpdate(instance: Instance, update: NetworkUpdateRecord): void {
  try {
    instance.host.writeText(recordFile(instance), `${JSON.stringify(update)}\n`, 0o600);
    writeBoth(instance, update);
  } catch (error) {
    // If this fails too, the record stays, and the next call finishes the update.
    const others = errorsOf(() =>
      writeBoth(instance, { ...update, before: update.after, after: update.before }),
    );
    throw joinErrors(error, others);
  }
}

/**
 * Finishes an interrupted writeNetworkUpdate(). A document that has been removed or changed by hand since then stays as it is.
 * Returns the update if both documents have it; undefined otherwise, and if there is none. The caller holds the registry's lock.
 */
export function finishNetworkUpdate(instance: Instance): NetworkUpdateRecord | undefined {
  const text = instance.host.readText(recordFile(instance));
  if (text === undefined) return undefined;
  const update = parseUpdate(instance, text);
  writeBoth(instance, update);
  const { active, defined } = readNow(instance, update);
  return active === update.after.active && defined === update.after.defined ? update : undefined;
}

function parseUpdate(instance: Instance, text: string): NetworkUpdateRecord {
  try {
    return v.parse(networkUpdate, JSON.parse(text));
  } catch (error) {
    const path = recordFile(instance);
    throw new SvirtError(`Cannot finish the update of a network in ${path}: the file is damaged`, {
      kind: "failed",
      remedy: `Remove it, and check the networks (svirt net-dumpxml): rm ${path}`,
      cause: error,
    });
  }
}

/** Writes the documents that are as they were before the update. */
function writeBoth(instance: Instance, update: NetworkUpdateRecord): void {
  const { after, before, name } = update;
  const now = readNow(instance, update);
  if (now.defined === before.defined) writeDefinedNetwork(instance, name, after.defined);
  if (now.active === before.active) writeActiveNetwork(instance, name, after.active);
  instance.host.removeFile(recordFile(instance));
}

/** Returns the documents of the network; none of a damaged one, which a definition or a start may replace. */
function readNow(
  instance: Instance,
  { name }: NetworkUpdateRecord,
): Partial<Record<"active" | "defined", string | undefined>> {
  return listNetworks(instance).find((network) => network.name === name) ?? {};
}

function recordFile({ paths }: Instance): string {
  return `${paths.run}/network-update.json`;
}
