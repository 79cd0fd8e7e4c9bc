import { formatDomain, parseDomainText } from "../../domain/document.ts";
import type { Domain } from "../../domain/domain.ts";
import { parseSizeInKiB } from "../../domain/forms/memory-size.ts";
import { SvirtError } from "../../errors.ts";
import type { QmpCommand } from "../../qemu/monitor/qmp.ts";
import type { Instance } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";
import { type Ask, type Changed, changeDomain } from "../change/change-domain.ts";
import { settingChange } from "../change/change-setting.ts";
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
export async function setMemory(instance: Instance, ask: Ask, size: string): Promise<Changed> {
  const live = settingChange(instance, {
    what: "set the memory",
    decide(guest) {
      const domain = parseDomainText(guest.xml);
      const kiB = liveSize(guest, domain, size);
      return {
        command: askBalloon(kiB),
        before: askBalloon(domain.currentMemoryKiB ?? domain.memory.kiB),
        xml: formatDomain({ ...domain, currentMemoryKiB: kiB }),
      };
    },
  });
  return await changeDomain(instance, ask, { live, config: (domain) => replaceCurrentMemory(domain, size) });
}

/** Returns the size for the balloon of a running guest, in KiB. Throws "usage". */
function liveSize({ name }: GuestRecord, { memory }: Domain, size: string): number {
  const kiB = parseSizeInKiB(size);
  if (kiB !== undefined && kiB <= memory.kiB) return kiB;
  const why = kiB === undefined ? "that is not a size" : `its maximum is ${memory.kiB} KiB`;
  throw new SvirtError(`Cannot set the memory of ${name} to ${size}: ${why}`, {
    kind: "usage",
    remedy: "Give a size in KiB, or with a unit: 512MiB.",
  });
}

/** Returns the command that asks the guest's balloon for a size. qapi/machine.json of QEMU */
function askBalloon(kiB: number): QmpCommand {
  return { execute: "balloon", arguments: { value: kiB * 1024 } };
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
