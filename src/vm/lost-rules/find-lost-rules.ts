import { hostBridgeOf } from "../../network/bridge/host-bridge.ts";
import { outboundLimit } from "../../network/bridge/outbound-limit.ts";
import { formatPacketRules } from "../../network/bridge/packet-rules.ts";
import { parseNetworkText } from "../../network/document.ts";
import { summarizeTables } from "../../network/filter/table-summary.ts";
import { formatTapRules } from "../../network/filter/tap-rules.ts";
import { hasOwnBridge } from "../../network/forms/mode-rules.ts";
import type { Step } from "../../plan/steps/step.ts";
import { type Instance, isSession } from "../../state/instance.ts";
import { listNetworks } from "../../state/networks/networks.ts";
import type { GuestRecord } from "../../state/record.ts";

/** Expected tables of the packet filter for a guest or a network, and their script. */
interface OwnRules {
  readonly of: "domain" | "network";
  readonly name: string;
  readonly script: string;
}

/** Tables with differences from svirt's. */
export interface LostRules extends OwnRules {
  /** Sentence for an audit. */
  readonly finding: string;
}

/**
 * Returns rules of running guests missing or different now. Throws "unsupported" without nft, "host-call".
 */
export async function findLostTapRules(
  instance: Instance,
  guests: readonly GuestRecord[],
): Promise<readonly LostRules[]> {
  return await listLost(instance, guests.flatMap(wantedOf));
}

/** Lists the rules of a guest, without rules possibly being replaced by a change. */
function wantedOf({ change, name, steps }: GuestRecord): readonly OwnRules[] {
  const changing = new Set([...(change?.steps ?? []), ...(change?.after ?? [])].flatMap(tableOf));
  return steps.flatMap((step): OwnRules[] =>
    step.do === "set-tap-rules" && !changing.has(step.rules.table)
      ? [{ of: "domain", name, script: formatTapRules(step.rules) }]
      : [],
  );
}

function tableOf(step: Step): readonly string[] {
  if (step.do === "set-tap-rules" || step.do === "change-tap-rules") return [step.rules.table];
  return step.do === "remove-tap-rules" ? [step.table] : [];
}

/**
 * Returns rules of active networks missing or different now. Throws as findLostTapRules(); "xml" for a
 * damaged network.
 */
export async function findLostNetworkRules(instance: Instance): Promise<readonly LostRules[]> {
  return await listLost(instance, wantedByNetworks(instance));
}

/**
 * Returns the rules of findLostTapRules() and findLostNetworkRules(), by a single call of nft. Throws as they
 * do.
 */
export async function findLostRules(
  instance: Instance,
  guests: readonly GuestRecord[],
): Promise<readonly LostRules[]> {
  return await listLost(instance, [...guests.flatMap(wantedOf), ...wantedByNetworks(instance)]);
}

function wantedByNetworks(instance: Instance): readonly OwnRules[] {
  return listNetworks(instance).flatMap(({ active, name, uuid }): OwnRules[] => {
    if (active === undefined) return [];
    const network = parseNetworkText(active);
    const bridge = hasOwnBridge(network) ? hostBridgeOf(network) : undefined;
    if (bridge === undefined) return [];
    const rules = formatPacketRules(network, uuid);
    const limit = outboundLimit(network, bridge, uuid);
    return [
      ...(rules === undefined ? [] : [rules]),
      ...(limit === undefined ? [] : [formatTapRules(limit)]),
    ].map((script) => ({ of: "network" as const, name, script }));
  });
}

async function listLost(instance: Instance, wanted: readonly OwnRules[]): Promise<readonly LostRules[]> {
  if (wanted.length === 0 || isSession(instance)) return [];
  const found = summarizeTables(await instance.host.listPacketRules());
  return wanted.flatMap((own) => {
    const lost = [...summarizeTables(own.script)].find(([table, rules]) => found.get(table) !== rules);
    if (lost === undefined) return [];
    const [table] = lost;
    const who = own.of === "domain" ? own.name : `network ${own.name}`;
    const what = found.has(table) ? "has other rules than svirt has set" : "is missing";
    return [
      { ...own, finding: `${who}: the table ${table} of the packet filter ${what}; run svirt recover` },
    ];
  });
}
