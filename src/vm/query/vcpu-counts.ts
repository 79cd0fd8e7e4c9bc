import { parseDomainText } from "../../domain/document.ts";
import type { Instance } from "../../state/instance.ts";
import { decideImpact, type ImpactOptions } from "../change/impact.ts";
import { type FoundDomain, findDomain } from "../guest/find-domain.ts";
import { countVcpus } from "./vcpu-info.ts";

/** Number of virtual CPUs of a domain: the highest possible, or the current. */
export interface VcpuCount {
  readonly what: "maximum" | "current";
  /** Definition or running guest. */
  readonly of: "config" | "live";
  readonly count: number;
}

/**
 * Lists the numbers of virtual CPUs of the definition and of the running guest. Throws "not-found",
 * "timeout".
 */
export async function listVcpuCounts(instance: Instance, key: string): Promise<readonly VcpuCount[]> {
  return await countsOf(instance, findDomain(instance, key));
}

/**
 * Returns one number of virtual CPUs, of the running guest or the definition, as `options` select. Throws
 * "not-found", "usage", "wrong-state", "timeout".
 */
export async function getVcpuCount(
  instance: Instance,
  key: string,
  { what, options }: { readonly what: VcpuCount["what"]; readonly options: ImpactOptions },
): Promise<number> {
  const found = findDomain(instance, key);
  const { guest } = decideImpact(found, options);
  const of = guest === undefined ? "config" : "live";
  const counts = await countsOf(instance, found);
  return counts.find((one) => one.what === what && one.of === of)?.count ?? 0;
}

async function countsOf(
  instance: Instance,
  { definition, guest }: FoundDomain,
): Promise<readonly VcpuCount[]> {
  const config = definition === undefined ? undefined : countsIn(definition.xml);
  const live =
    guest === undefined ? undefined : { ...countsIn(guest.xml), current: await countVcpus(instance, guest) };
  return (["maximum", "current"] as const).flatMap((what) => [
    ...(config === undefined ? [] : [{ what, of: "config", count: config[what] } as const]),
    ...(live === undefined ? [] : [{ what, of: "live", count: live[what] } as const]),
  ]);
}

function countsIn(xml: string): { readonly maximum: number; readonly current: number } {
  const { count = 1, current = count } = parseDomainText(xml).vcpu ?? {};
  return { maximum: count, current };
}
