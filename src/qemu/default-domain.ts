import type { Devices } from "../domain/devices.ts";
import type { Domain } from "../domain/domain.ts";
import type { Clock } from "../domain/machine/clock.ts";
import type { Vcpu } from "../domain/machine/vcpu.ts";
import { sanitizeMetadata } from "../domain/metadata.ts";
import { fillCpu } from "./machine/default-cpu.ts";
import { fillFeatures } from "./machine/default-features.ts";
import { fillMemory } from "./machine/default-memory.ts";
import { fillSeclabel } from "./machine/default-seclabel.ts";
import { fillThreads } from "./machine/default-threads.ts";
import type { Machine } from "./model/machine.ts";

/** Returns the domain with libvirt's defaults outside of its devices. virDomainDefPostParseCommon() */
export function fillDomain(domain: Domain, machine: Machine): Domain {
  const { metadata } = domain;
  return withoutEmpty({
    ...domain,
    ...(metadata === undefined ? {} : { metadata: sanitizeMetadata(metadata) }),
    // virDomainDefPostParseMemory() of libvirt
    currentMemoryKiB: Math.min(domain.currentMemoryKiB || domain.memory.kiB, domain.memory.kiB),
    vcpu: fillVcpu(domain.vcpu),
    ...fillThreads(domain),
    ...fillMemory(domain),
    ...fillFeatures(domain),
    ...fillMemtune(domain),
    os: fillOs(domain, machine),
    cpu: fillCpu(domain),
    clock: fillClock(domain.clock),
    onPoweroff: domain.onPoweroff ?? "destroy",
    onReboot: domain.onReboot ?? "restart",
    onCrash: domain.onCrash ?? "destroy",
    seclabels: domain.seclabels.map(fillSeclabel),
  });
}

/** Elements that libvirt omits if they are empty. */
const NEVER_EMPTY: ReadonlySet<string> = new Set([
  "blkiotune",
  "memtune",
  "cputune",
  "resource",
  "idmap",
  "features",
  "pm",
  "perf",
  "qemuCommandline",
]);

function withoutEmpty(domain: Domain): Domain {
  const isEmpty = (value: unknown): boolean =>
    value === undefined || value === false || (Array.isArray(value) && value.length === 0);
  const kept = Object.entries(domain).filter(
    ([name, value]) => !NEVER_EMPTY.has(name) || !Object.values(value ?? {}).every(isEmpty),
  );
  return Object.fromEntries(kept) as Domain;
}

/** A clock with an adjustment in seconds is variable. virDomainClockDefParseXML() of libvirt */
function fillClock(clock: Clock = { offset: "utc", timers: [] }): Clock {
  switch (clock.offset) {
    case "utc":
    case "localtime": {
      const { adjustment, offset, timers } = clock;
      if (typeof adjustment !== "number") return clock;
      return { offset: "variable", adjustmentSeconds: adjustment, basis: offset, timers };
    }
    case "variable":
      return { ...clock, adjustmentSeconds: clock.adjustmentSeconds ?? 0, basis: clock.basis ?? "utc" };
    case "timezone":
    case "absolute":
      return clock;
  }
}

function fillVcpu({ current, placement = "static", ...vcpu }: Vcpu = { count: 1 }): Vcpu {
  return { ...vcpu, placement, ...(current === undefined || current === vcpu.count ? {} : { current }) };
}

// The greatest number stands for no limit. virMemoryLimitIsSet() of libvirt
function fillMemtune({ memtune }: Domain): Pick<Domain, "memtune"> {
  if (memtune === undefined) return {};
  const limits = Object.entries(memtune).filter(([, kiB]) => kiB !== Number.MAX_SAFE_INTEGER);
  return { memtune: limits.length === 0 ? undefined : Object.fromEntries(limits) } as Pick<Domain, "memtune">;
}

function fillOs({ os, devices }: Domain, { word }: Machine): Domain["os"] {
  const boot = os.boot.length > 0 || hasBootOrder(devices) ? os.boot : [{ dev: "hd" } as const];
  return { ...os, type: { ...os.type, arch: os.type.arch ?? "x86_64", machine: word }, boot };
}

function hasBootOrder(devices: Devices): boolean {
  return Object.values(devices).some(
    (family) => Array.isArray(family) && family.some((device: object) => "boot" in device),
  );
}
