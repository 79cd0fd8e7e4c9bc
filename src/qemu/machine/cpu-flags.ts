import type { Domain } from "../../domain/domain.ts";
import type { Cpu } from "../../domain/machine/cpu.ts";
import type { Features } from "../../domain/machine/features.ts";
import type { Hyperv } from "../../domain/machine/hyperv.ts";
import { onOffWord } from "../argument/argument.ts";

/**
 * Lists the properties of -cpu after the model and its features, in libvirt's order.
 * qemuBuildCpuCommandLine() of libvirt
 */
export function listCpuFlags(domain: Domain): readonly string[] {
  const { features, clock, cpu, devices } = domain;
  return [
    ...(clock?.timers ?? []).flatMap(timerFlags),
    ...stateFlag("kvm-pv-eoi", features?.apic?.eoi),
    ...stateFlag("kvm-pv-unhalt", features?.pvspinlock?.state),
    ...hypervFlags(features?.hyperv),
    // Hyper-V's crash notification is a feature of the processor.
    ...(devices.panics.some((panic) => panic.model === "hyperv") ? ["hv-crash"] : []),
    ...kvmFlags(features?.kvm),
    ...stateFlag("pmu", features?.pmu?.state),
    ...cacheFlags(cpu),
    ...addressFlags(cpu),
  ];
}

type Timer = NonNullable<Domain["clock"]>["timers"][number];

function timerFlags({ name, present, frequency }: Timer): readonly string[] {
  switch (name) {
    case "kvmclock":
      return stateFlag("kvmclock", present);
    case "hypervclock":
      return present === true ? ["hv-time=on"] : [];
    case "tsc":
      return frequency === undefined ? [] : [`tsc-frequency=${frequency}`];
    case "rtc":
    case "pit":
    case "hpet":
      return [];
  }
}

function stateFlag(name: string, state: boolean | undefined): readonly string[] {
  return state === undefined ? [] : [`${name}=${onOffWord(state)}`];
}

type Custom = Extract<Hyperv, { readonly mode: "custom" }>;

/** Lists only enabled features: the others are off by default. */
function hypervFlags(hyperv: Hyperv | undefined): readonly string[] {
  if (hyperv === undefined) return [];
  if (hyperv.mode === "passthrough") return ["hv-passthrough=on"];
  const { spinlocks, vendorId, stimer, tlbflush } = hyperv;
  const retries = spinlocks?.retries?.toString(16);
  return [
    ...listOn(hyperv, ["relaxed", "vapic"]),
    ...(spinlocks?.state === true ? [`hv-spinlocks=0x${retries}`] : []),
    ...listOn(hyperv, ["vpindex", "runtime", "synic", "stimer"]),
    ...(stimer?.state === true && stimer.direct?.state === true ? ["hv-stimer-direct=on"] : []),
    ...listOn(hyperv, ["reset"]),
    ...(vendorId?.state === true ? [`hv-vendor-id=${vendorId.value}`] : []),
    ...listOn(hyperv, ["frequencies", "reenlightenment", "tlbflush"]),
    ...(tlbflush?.state === true && tlbflush.direct?.state === true ? ["hv-tlbflush-direct=on"] : []),
    ...(tlbflush?.state === true && tlbflush.extended?.state === true ? ["hv-tlbflush-ext=on"] : []),
    ...listOn(hyperv, ["ipi", "evmcs", "avic", "emsrBitmap", "xmmInput"]),
  ];
}

function listOn(hyperv: Custom, names: readonly (keyof Custom & keyof typeof HYPERV)[]): readonly string[] {
  return names.filter((name) => hyperv[name]?.state === true).map((name) => `hv-${HYPERV[name]}=on`);
}

const HYPERV = {
  relaxed: "relaxed",
  vapic: "vapic",
  vpindex: "vpindex",
  runtime: "runtime",
  synic: "synic",
  stimer: "stimer",
  reset: "reset",
  frequencies: "frequencies",
  reenlightenment: "reenlightenment",
  tlbflush: "tlbflush",
  ipi: "ipi",
  evmcs: "evmcs",
  avic: "avic",
  emsrBitmap: "emsr-bitmap",
  xmmInput: "xmm-input",
} as const;

function kvmFlags(kvm: Features["kvm"]): readonly string[] {
  return [
    ...(kvm?.hidden?.state === true ? ["kvm=off"] : []),
    ...(kvm?.hintDedicated?.state === true ? ["kvm-hint-dedicated=on"] : []),
    ...(kvm?.pollControl?.state === true ? ["kvm-poll-control=on"] : []),
    ...(kvm?.pvIpi?.state === false ? ["kvm-pv-ipi=off"] : []),
  ];
}

function cacheFlags(cpu: Cpu | undefined): readonly string[] {
  const isWhole = cpu?.mode !== "custom";
  switch (cpu?.cache?.mode) {
    case "emulate":
      return ["l3-cache=on", ...(isWhole ? ["host-cache-info=off"] : [])];
    case "passthrough":
      return ["host-cache-info=on", "l3-cache=off"];
    case "disable":
      return [...(isWhole ? ["host-cache-info=off"] : []), "l3-cache=off"];
    case undefined:
      return [];
  }
}

function addressFlags(cpu: Cpu | undefined): readonly string[] {
  const address = cpu?.maxphysaddr;
  switch (address?.mode) {
    case "passthrough":
      return [
        "host-phys-bits=on",
        ...(address.limit === undefined ? [] : [`host-phys-bits-limit=${address.limit}`]),
      ];
    case "emulate":
      return [address.bits === undefined ? "host-phys-bits=off" : `phys-bits=${address.bits}`];
    case undefined:
      return [];
  }
}
