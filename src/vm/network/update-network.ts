import { SvirtError } from "../../errors.ts";
import type { CompletedNetwork } from "../../network/complete.ts";
import { formatNetwork, parseNetworkText } from "../../network/document.ts";
import { isServed, type NetworkUpdate, updateNetwork } from "../../network/edits/update.ts";
import { hasOwnBridge, modeOf } from "../../network/forms/mode-rules.ts";
import { startableNetwork } from "../../network/rules/startable.ts";
import type { Step } from "../../plan/steps/step.ts";
import { countUses, listPorts } from "../../resolve/network-ports.ts";
import type { Instance } from "../../state/instance.ts";
import { refreshSteps, testSteps } from "../../state/networks/network-server.ts";
import { networkStore, type StoredNetwork } from "../../state/networks/networks.ts";
import type { ImpactOptions } from "../change/impact.ts";
import { carryOut } from "../object-change/carry-out.ts";
import type { Change } from "../object-change/change.ts";
import { type NetworkIdentity, transient } from "./define-network.ts";
import { findNetwork } from "./find-network.ts";
import { changeOf, networkChange } from "./network-change.ts";
import { completeForHost } from "./new-network.ts";

/** A network, and its changed documents. */
export interface UpdatedNetwork extends NetworkIdentity {
  readonly live: boolean;
  readonly config: boolean;
}

type Impact = Pick<UpdatedNetwork, "live" | "config">;

/**
 * Adds, changes or removes one entry of a network: of its active XML, its definition or both; without options
 * of the active XML, or of the definition of an inactive network. A refusal by either leaves both. Throws
 * "not-found", "xml", "unsupported", "wrong-state". networkUpdate() of libvirt
 */
export async function updateStoredNetwork(
  instance: Instance,
  key: string,
  ask: UpdateAsk,
): Promise<UpdatedNetwork> {
  return await carryOut(instance, networkUpdate(key, ask));
}

/** Entry of a network, and the documents that are to have it. */
export interface UpdateAsk {
  readonly options: ImpactOptions;
  readonly update: NetworkUpdate;
}

/** Returns the change of updateStoredNetwork(). */
export function networkUpdate(key: string, { options, update }: UpdateAsk): Change<UpdatedNetwork> {
  return networkChange((instance) => {
    const stored = findNetwork(instance, key);
    const { name, uuid } = stored;
    const impact = decideNetworkImpact(stored, options);
    const steps = planUpdate(instance, stored, { impact, update });
    const change = changeOf({ name, uuid }, { command: "net-update", steps, commit: "last" });
    return { change, result: { name, uuid, ...impact } };
  });
}

function planUpdate(
  instance: Instance,
  stored: StoredNetwork,
  { impact, update }: { readonly impact: Impact; readonly update: NetworkUpdate },
): readonly Step[] {
  const { name, uuid } = stored;
  const active = impact.live ? updatedActive(instance, stored, update) : undefined;
  const defined = impact.config ? updatedXml(instance, stored.defined ?? "", { update }) : undefined;
  const documents = documentSteps(instance, name, {
    active: active === undefined ? undefined : formatNetwork(active),
    defined: defined === undefined ? undefined : formatNetwork(defined),
  });
  if (active === undefined) return documents;
  const served = { network: active, uuid };
  // The test refuses a configuration that the server would not start with, before any change.
  // networkRestartDhcpDaemon() of libvirt
  return [...testSteps(instance, served), ...refreshSteps(instance, served), ...documents];
}

/** Returns the steps that write the documents that have changed. */
export function documentSteps(
  instance: Instance,
  name: string,
  { active, defined }: Pick<StoredNetwork, "active" | "defined">,
): readonly Step[] {
  return [
    ...(active === undefined ? [] : [networkStore.activeStep(instance, name, active)]),
    ...(defined === undefined ? [] : [networkStore.defineStep(instance, name, defined)]),
  ];
}

/**
 * Returns the documents that change. Throws "wrong-state". virNetworkObjUpdateModificationImpact() of libvirt
 */
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

function updatedActive(
  instance: Instance,
  { active, name }: StoredNetwork,
  update: NetworkUpdate,
): CompletedNetwork {
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
  return updated;
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
