import * as v from "valibot";
import { errorsOfWork, joinErrors, SvirtError } from "../../errors.ts";
import { formatRemoval } from "../../network/bridge/packet-rules.ts";
import { aString } from "../../plan/facts/plain-schemas.ts";
import type { Instance } from "../instance.ts";
import { endServer } from "./network-server.ts";
import { listNetworkEntries } from "./networks.ts";

/** Bridge that is being created or removed, in `/run/svirt/network-bridge.json` until it is done. */
const pendingBridge = v.strictObject({
  /** Name of the network. */
  network: aString,
  bridge: v.strictObject({ name: aString, mac: aString }),
  /** UUID of a network with rules of the packet filter. */
  rulesOf: v.exactOptional(aString),
  /** UUID of a network with an address, which may have a DHCP and DNS server. */
  serverOf: v.exactOptional(aString),
  /** Table of the packet filter that limits the frames from guests. */
  limit: v.exactOptional(aString),
});
export type PendingBridge = v.InferOutput<typeof pendingBridge>;

/**
 * Records the bridge of a network, makes the network active or inactive by `work`, and then has the bridge, its rules and its server removed
 * unless the network is active. If it is interrupted, finishBridge() does so. The caller holds the registry's lock.
 */
export async function withPendingBridge(
  instance: Instance,
  pending: PendingBridge,
  work: () => Promise<void> | void,
): Promise<void> {
  try {
    instance.host.writeText(recordFile(instance), `${JSON.stringify(pending)}\n`, 0o600);
    await work();
  } catch (error) {
    // If this fails too, the record stays, and the next call finishes.
    throw joinErrors(error, await errorsOfWork(async () => await finishBridge(instance)));
  }
  await finishBridge(instance);
}

/**
 * Finishes an interrupted withPendingBridge(): removes the bridge, the rules and the server of a network that is not active. The caller holds the registry's
 * lock.
 */
export async function finishBridge(instance: Instance): Promise<void> {
  const text = instance.host.readText(recordFile(instance));
  if (text === undefined) return;
  const { bridge, limit, network, rulesOf, serverOf } = parsePending(instance, text);
  const isActive = listNetworkEntries(instance).some((entry) => entry.name === network && entry.isActive);
  if (!isActive) {
    if (serverOf !== undefined) await endServer(instance, serverOf);
    instance.host.removeBridge(bridge);
    if (limit !== undefined) instance.host.removeTapTable(limit);
    if (rulesOf !== undefined) await instance.host.setPacketRules(formatRemoval(rulesOf));
  }
  instance.host.removeFile(recordFile(instance));
}

function parsePending(instance: Instance, text: string): PendingBridge {
  try {
    return v.parse(pendingBridge, JSON.parse(text));
  } catch (error) {
    const path = recordFile(instance);
    throw new SvirtError(`Cannot finish the change of a network's bridge in ${path}: the file is damaged`, {
      kind: "failed",
      remedy: `Remove it, and check the bridges of inactive networks (ip link show type bridge): rm ${path}`,
      cause: error,
    });
  }
}

function recordFile({ paths }: Instance): string {
  return `${paths.run}/network-bridge.json`;
}
