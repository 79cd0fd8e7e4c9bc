import type { Domain } from "../../domain/domain.ts";
import { parseSizeInKiB } from "../../domain/forms/memory-size.ts";
import { SvirtError } from "../../errors.ts";
import type { Instance } from "../../state/instance.ts";
import {
  type Ask,
  type Changed,
  changeDefinition,
  changeDomain,
  refuseChange,
} from "../change/change-domain.ts";
import { decideImpact } from "../change/impact.ts";
import { findDomain } from "../guest/find-domain.ts";
import { setGuestMemory } from "../lifecycle/ask-guest.ts";
import { neverLive } from "./set-vcpus.ts";

/**
 * Sets the maximum memory of a domain from its next start on. Throws "usage", "unsupported", "wrong-state".
 */
export async function setMostMemory(instance: Instance, ask: Ask, size: string): Promise<Changed> {
  const kiB = readSize(size);
  return await changeDomain(instance, ask, {
    live: neverLive("cannot resize the maximum memory on an active domain"),
    config(domain) {
      refuseCells(domain);
      const { currentMemoryKiB: current = domain.memory.kiB } = domain;
      return { ...domain, memory: { ...domain.memory, kiB }, currentMemoryKiB: Math.min(current, kiB) };
    },
  });
}

/**
 * Asks the running guest's balloon for a size, sets the memory of the next start, or both. Throws "usage",
 * "wrong-state".
 */
export async function setMemory(
  instance: Instance,
  { key, options }: Pick<Ask, "key" | "options">,
  size: string,
): Promise<void> {
  const found = findDomain(instance, key);
  const { definition, guest } = decideImpact(found, options);
  const change = (domain: Domain): Domain => replaceCurrentMemory(domain, size);
  if (definition !== undefined) refuseChange(instance, definition, change);
  if (guest !== undefined) await setGuestMemory(instance, guest.uuid, size);
  if (definition !== undefined) await changeDefinition(instance, found.uuid, change);
}

function replaceCurrentMemory(domain: Domain, size: string): Domain {
  const kiB = readSize(size);
  if (kiB <= domain.memory.kiB) return { ...domain, currentMemoryKiB: kiB };
  throw new SvirtError("invalid argument: cannot set memory higher than max memory", {
    kind: "usage",
    remedy: `Give at most ${domain.memory.kiB} KiB, or raise the maximum: svirt setmaxmem ${domain.name} ${size} --config`,
  });
}

function readSize(size: string): number {
  const kiB = parseSizeInKiB(size);
  if (kiB !== undefined && kiB > 0) return kiB;
  throw new SvirtError(`Cannot set the memory to ${size}: that is not a size`, {
    kind: "usage",
    remedy: "Give a size in KiB, or with a unit: 512MiB.",
  });
}

function refuseCells({ cpu }: Domain): void {
  if ((cpu?.numa?.cells ?? []).length === 0) return;
  throw new SvirtError(
    "Requested operation is not valid: initial memory size of a domain with NUMA nodes cannot be modified with this API",
    { kind: "wrong-state", remedy: "Change the memory of its NUMA cells: svirt edit" },
  );
}
