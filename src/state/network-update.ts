import * as v from "valibot";
import { SvirtError } from "../errors.ts";
import { aString } from "../plan/facts/plain-schemas.ts";
import type { Instance } from "./instance.ts";
import { writeActiveNetwork, writeDefinedNetwork } from "./networks.ts";

/** Update of a network's definition and active XML, in `/run/svirt/network-update.json` until both are written. */
const networkUpdate = v.strictObject({
  name: aString,
  /** Identifies the command, so that its repetition is not a second update. */
  request: aString,
  defined: aString,
  active: aString,
});
export type NetworkUpdateRecord = v.InferOutput<typeof networkUpdate>;

/**
 * Writes the definition and the active XML of a network. If it is interrupted, finishNetworkUpdate() writes the rest. The caller
 * holds the registry's lock.
 */
export function writeNetworkUpdate(instance: Instance, update: NetworkUpdateRecord): void {
  instance.host.makeFolder({ path: instance.paths.run, mode: 0o700 });
  instance.host.writeText(recordFile(instance), `${JSON.stringify(update)}\n`, 0o600);
  writeBoth(instance, update);
}

/**
 * Finishes an interrupted writeNetworkUpdate(). Returns its update; undefined if there is none. The caller holds the registry's
 * lock.
 */
export function finishNetworkUpdate(instance: Instance): NetworkUpdateRecord | undefined {
  const text = instance.host.readText(recordFile(instance));
  if (text === undefined) return undefined;
  const update = parseUpdate(instance, text);
  writeBoth(instance, update);
  return update;
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

function writeBoth(instance: Instance, { active, defined, name }: NetworkUpdateRecord): void {
  writeDefinedNetwork(instance, name, defined);
  writeActiveNetwork(instance, name, active);
  instance.host.removeFile(recordFile(instance));
}

function recordFile({ paths }: Instance): string {
  return `${paths.run}/network-update.json`;
}
