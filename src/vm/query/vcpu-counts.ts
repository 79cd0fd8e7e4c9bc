import { parseDomainText } from "../../domain/document.ts";
import type { Node } from "../../state/instance.ts";
import { decideImpact, type Wish } from "../change/impact.ts";
import { type FoundDomain, findDomain } from "../guest/find-domain.ts";
import { countVcpus } from "./vcpu-info.ts";

/** Number of virtual CPUs of a domain: the highest possible one, or the present one. */
export interface VcpuCount {
  readonly what: "maximum" | "current";
  /** Definition or running guest. */
  readonly of: "config" | "live";
  readonly count: number;
}

/** Lists the numbers of virtual CPUs of the definition and of the running guest. Throws "not-found", "timeout". */
export async function listVcpuCounts(node: Node, key: string): Promise<readonly VcpuCount[]> {
  return await countsOf(node, findDomain(node, key));
}

/**
 * Returns one number of virtual CPUs, of the running guest or the definition, as `wish` selects. Throws "not-found", "usage",
 * "wrong-state", "timeout".
 */
export async function getVcpuCount(
  node: Node,
  key: string,
  { what, wish }: { readonly what: VcpuCount["what"]; readonly wish: Wish },
): Promise<number> {
  const found = findDomain(node, key);
  const { guest } = decideImpact(found, wish);
  const of = guest === undefined ? "config" : "live";
  const counts = await countsOf(node, found);
  return counts.find((one) => one.what === what && one.of === of)?.count ?? 0;
}

async function countsOf(node: Node, { definition, guest }: FoundDomain): Promise<readonly VcpuCount[]> {
  const config = definition === undefined ? undefined : countsIn(definition.xml);
  const live =
    guest === undefined ? undefined : { ...countsIn(guest.xml), current: await countVcpus(node, guest) };
  return (["maximum", "current"] as const).flatMap((what) => [
    ...(config === undefined ? [] : [{ what, of: "config", count: config[what] } as const]),
    ...(live === undefined ? [] : [{ what, of: "live", count: live[what] } as const]),
  ]);
}

function countsIn(xml: string): { readonly maximum: number; readonly current: number } {
  const { count = 1, current = count } = parseDomainText(xml).vcpu ?? {};
  return { maximum: count, current };
}
