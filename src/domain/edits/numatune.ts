import { SvirtError } from "../../errors.ts";
import type { Domain } from "../domain.ts";
import type { IdSet } from "../forms/id-set.ts";
import type { NumaMode } from "../machine/numatune.ts";

/** Modes by their numbers in libvirt: virDomainNumatuneMemMode of libvirt-domain.h. */
export const NUMA_MODES: readonly NumaMode[] = ["strict", "preferred", "interleave", "restrictive"];

/** Change of the NUMA nodes for a guest's memory. An absent field stays as it is. */
export interface NumaChange {
  readonly mode?: NumaMode;
  readonly nodes?: IdSet;
}

/**
 * Returns the domain with other nodes for its memory. Throws "usage", "xml". virDomainNumatuneSet() of
 * libvirt
 */
export function replaceNumatune(domain: Domain, { mode, nodes }: NumaChange): Domain {
  const { memory, memnodes = [] } = domain.numatune ?? {};
  const nodeset = nodes ?? memory?.nodeset;
  if (nodeset === undefined) {
    throw new SvirtError("XML error: nodeset for NUMA memory tuning must be set if 'placement' is static", {
      kind: "xml",
      remedy: "Give the nodes: --nodeset 0",
    });
  }
  const whole = { mode: mode ?? memory?.mode ?? ("strict" as const), nodeset };
  return { ...domain, numatune: { memory: whole, memnodes } };
}

/**
 * Returns a running guest's domain with other nodes for its memory. Throws "wrong-state" with libvirt's
 * messages for a change that QEMU's memory cannot follow. qemuDomainSetNumaParamsLive() of libvirt
 */
export function replaceLiveNumatune(domain: Domain, change: NumaChange): Domain {
  const { memory } = domain.numatune ?? {};
  const mode = memory?.mode ?? "strict";
  if (change.mode !== undefined && memory !== undefined && change.mode !== mode)
    throw notValid("can't change numatune mode for running domain");
  if (mode !== "strict" && mode !== "restrictive")
    throw notValid("change of nodeset for running domain requires strict numa mode");
  return replaceNumatune(domain, change);
}

function notValid(why: string): SvirtError {
  return new SvirtError(`Requested operation is not valid: ${why}`, {
    kind: "wrong-state",
    remedy: "Change the definition for the next start: --config",
  });
}
