import type { Devices } from "../domain/devices.ts";
import type { Domain } from "../domain/domain.ts";
import type { Vcpu } from "../domain/vcpu.ts";
import { fillCpu } from "./default-cpu.ts";
import { fillSeclabel } from "./default-seclabel.ts";
import type { Machine } from "./machine.ts";

/** What libvirt writes into a definition outside of its devices, where nobody wrote it. virDomainDefPostParseCommon() */
export function fillDomain(domain: Domain, machine: Machine): Domain {
  return {
    ...domain,
    currentMemoryKiB: domain.currentMemoryKiB ?? domain.memoryKiB,
    vcpu: fillVcpu(domain.vcpu),
    os: fillOs(domain, machine),
    cpu: fillCpu(domain),
    clock: domain.clock ?? { offset: "utc", timers: [] },
    onPoweroff: domain.onPoweroff ?? "destroy",
    onReboot: domain.onReboot ?? "restart",
    onCrash: domain.onCrash ?? "destroy",
    seclabels: domain.seclabels.map(fillSeclabel),
  };
}

function fillVcpu({ count, current, placement = "static" }: Vcpu = { count: 1 }): Vcpu {
  return { count, placement, ...(current === undefined || current === count ? {} : { current }) };
}

function fillOs({ os, devices }: Domain, { word }: Machine): Domain["os"] {
  const boot = os.boot.length > 0 || hasBootOrder(devices) ? os.boot : [{ dev: "hd" } as const];
  return { ...os, type: { ...os.type, arch: "x86_64", machine: word }, boot };
}

function hasBootOrder(devices: Devices): boolean {
  return Object.values(devices).some(
    (family) => Array.isArray(family) && family.some((device: object) => "boot" in device),
  );
}
