import { SvirtError } from "../../errors.ts";
import type { CompletedNetwork } from "../../network/complete.ts";
import { formatNetwork, parseNetworkText } from "../../network/document.ts";
import { isServed, type NetworkUpdate, updateNetwork } from "../../network/edits/update.ts";
import { hasOwnBridge, modeOf } from "../../network/forms/mode-rules.ts";
import { startableNetwork } from "../../network/rules/startable.ts";
import { countUses, listPorts } from "../../resolve/network-ports.ts";
import type { Instance } from "../../state/instance.ts";
import { refreshServer, testServer } from "../../state/networks/network-server.ts";
import { writeNetworkUpdate } from "../../state/networks/network-update.ts";
import {
  type StoredNetwork,
  writeActiveNetwork,
  writeDefinedNetwork,
} from "../../state/networks/networks.ts";
import type { ImpactOptions } from "../change/impact.ts";
import { changeNetworks } from "./change-networks.ts";
import { type NetworkIdentity, transient } from "./define-network.ts";
import { findNetwork } from "./find-network.ts";
import { completeForHost } from "./new-network.ts";

/** A network, and which of its documents have changed. */
export interface UpdatedNetwork extends NetworkIdentity {
  readonly live: boolean;
  readonly config: boolean;
}

type Impact = Pick<UpdatedNetwork, "live" | "config">;

/**
 * Adds, changes or removes one entry of a network: of its active XML, its definition or both; without options of the active XML, or
 * of the definition of an inactive network. A refusal by either leaves both. An interrupted update of both is finished by the next
 * call that changes networks, and its repetition does no more. Throws "not-found", "xml", "unsupported", "wrong-state".
 * networkUpdate() of libvirt
 */
export async function updateStoredNetwork(
  instance: Instance,
  key: string,
  { options, update }: { readonly options: ImpactOptions; readonly update: NetworkUpdate },
): Promise<UpdatedNetwork> {
  return await changeNetworks(instance, async (finished) => {
    const stored = findNetwork(instance, key);
    const { name, uuid } = stored;
    const impact = decideNetworkImpact(stored, options);
    const request = JSON.stringify({ ...update, entry: new TextDecoder().decode(update.entry) });
    const isRepeated = finished?.name === name && finished.request === request;
    if (isRepeated && impact.live && impact.config) {
      await serve(instance, uuid, stored.active);
      return { name, uuid, ...impact };
    }
    const active = impact.live ? await updatedActive(instance, stored, update) : undefined;
    const defined = impact.config ? updatedXml(instance, stored.defined ?? "", { update }) : undefined;
    const after = { active, defined: defined === undefined ? undefined : formatNetwork(defined) };
    storeDocuments(instance, stored, { ...after, request });
    await serve(instance, uuid, active);
    return { name, uuid, ...impact };
  });
}

/** Applies an update to the server of an active network. networkRestartDhcpDaemon() of libvirt */
async function serve(instance: Instance, uuid: string, active: string | undefined): Promise<void> {
  if (active !== undefined) await refreshServer(instance, { network: parseNetworkText(active), uuid });
}

type Documents = Pick<StoredNetwork, "active" | "defined"> & { readonly request: string };

/** Writes the documents that have changed: both or neither, also after a kill. The caller holds the lock of changeNetworks(). */
export function storeDocuments(
  instance: Instance,
  old: StoredNetwork,
  { active, defined, request }: Documents,
): void {
  const { name } = old;
  if (active === undefined) {
    if (defined !== undefined) writeDefinedNetwork(instance, name, defined);
  } else if (defined === undefined) writeActiveNetwork(instance, name, active);
  else {
    const before = { active: old.active ?? "", defined: old.defined ?? "" };
    writeNetworkUpdate(instance, { name, request, before, after: { active, defined } });
  }
}

/** Returns the documents that change. Throws "wrong-state". virNetworkObjUpdateModificationImpact() of libvirt */
export function decideNetworkImpact(
  { active, defined, name }: StoredNetwork,
  options: ImpactOptions,
): Impact {
  const [live, config] = [options.live === true, options.config === true];
  const isActive = active !== undefined;
  const impact = live || config ? { live, config } : { live: isActive, config: !isActive };
  if (impact.live && !isActive) {
    throw new SvirtError("Requested operation is not valid: network is not running", {
      kind: "wrong-state",
      from: "NETWORK",
      remedy: `Start it (svirt net-start ${name}), or change its definition: --config`,
    });
  }
  if (impact.config && defined === undefined)
    throw transient("cannot change persistent config of a transient network", name);
  return impact;
}

async function updatedActive(
  instance: Instance,
  { active, name, uuid }: StoredNetwork,
  update: NetworkUpdate,
): Promise<string> {
  const network = parseNetworkText(active ?? "");
  if (isServed(update.section) && !hasOwnBridge(network)) {
    throw new SvirtError(
      `Cannot update the section ${update.section} of the active network '${name}': a network of mode ${modeOf(network)} has no DHCP or DNS server`,
      {
        kind: "unsupported",
        libvirt: "OPERATION_UNSUPPORTED",
        from: "NETWORK",
        remedy: "Make the entry in the DHCP or DNS server of the network that the guests are connected to.",
      },
    );
  }
  const uses = countUses(listPorts(instance, name).map(({ found }) => found));
  const updated = updatedXml(instance, active ?? "", { update, uses });
  startableNetwork(updated, `update the active network '${name}'`);
  // Refuses a server that is missing, and one that would not start, before any change.
  await testServer(instance, { network: updated, uuid });
  return formatNetwork(updated);
}

/** Returns a document with its entry changed, as `net-define` would store it. */
function updatedXml(
  instance: Instance,
  xml: string,
  {
    update,
    uses = new Map(),
  }: { readonly update: NetworkUpdate; readonly uses?: ReadonlyMap<string, number> },
): CompletedNetwork {
  return completeForHost(instance, updateNetwork(parseNetworkText(xml), update, uses));
}
