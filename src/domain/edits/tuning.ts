import { SvirtError } from "../../errors.ts";
import type { Domain } from "../domain.ts";
import { cpuSet, type IdSet } from "../forms/id-set.ts";
import type { Cputune } from "../machine/cputune.ts";

const NO_CPUTUNE: Cputune = {
  vcpupins: [],
  iothreadpins: [],
  vcpuscheds: [],
  iothreadscheds: [],
  cachetunes: [],
  memorytunes: [],
};

/**
 * Reads the processors of an argument, such as `0-3,^2`; undefined for `r`, all. Throws "usage".
 * virshVcpuinfoParseCPUList()
 */
export function parsePin(text: string): IdSet | undefined {
  if (text === "r") return undefined;
  const cpus = cpuSet.decode(text);
  if (cpus !== undefined) return cpus;
  throw new SvirtError(`vcpupin: Invalid cpulist '${text}'`, {
    kind: "usage",
    remedy: "Write numbers of processors, such as 0-3,^2, or r for all.",
  });
}

/** Returns the domain with a virtual CPU pinned to `cpus`; undefined removes its pin. Throws "usage". */
export function replaceVcpuPin(domain: Domain, vcpu: number, cpus: IdSet | undefined): Domain {
  if (vcpu >= (domain.vcpu?.count ?? 1)) {
    throw new SvirtError(
      `invalid argument: vcpu ${vcpu} is out of range of persistent cpu count ${domain.vcpu?.count ?? 1}`,
      {
        kind: "usage",
        remedy: "Number virtual CPUs from 0.",
      },
    );
  }
  const others = (domain.cputune?.vcpupins ?? []).filter((pin) => pin.vcpu !== vcpu);
  const pins = cpus === undefined ? others : [...others, { vcpu, cpuset: cpus }];
  return replaceCputune(domain, { vcpupins: pins.toSorted((one, other) => one.vcpu - other.vcpu) });
}

/** Returns the domain with QEMU's other threads pinned to `cpus`; undefined removes the pin. */
export function replaceEmulatorPin(domain: Domain, cpus: IdSet | undefined): Domain {
  return replaceCputune(domain, { emulatorpin: cpus === undefined ? undefined : { cpuset: cpus } });
}

/** Returns the domain with changed tuning; an undefined value removes the setting. */
export function replaceCputune(
  domain: Domain,
  change: { readonly [K in keyof Cputune]?: Cputune[K] | undefined },
): Domain {
  const whole = { ...NO_CPUTUNE, ...domain.cputune, ...change };
  const left = Object.entries(whole).filter(([, value]) => value !== undefined);
  const isEmpty = left.every(([, value]) => Array.isArray(value) && value.length === 0);
  const { cputune: _, ...rest } = domain;
  return isEmpty ? rest : { ...rest, cputune: Object.fromEntries(left) as unknown as Cputune };
}

/**
 * Parameters of schedinfo, and their fields in the XML's type. VIR_DOMAIN_SCHEDULER_CPU_SHARES of libvirt and
 * its like
 */
export const SCHEDULER_PARAMETERS = [
  ["cpu_shares", "shares"],
  ["vcpu_period", "periodUs"],
  ["vcpu_quota", "quotaUs"],
  ["emulator_period", "emulatorPeriodUs"],
  ["emulator_quota", "emulatorQuotaUs"],
  ["global_period", "globalPeriodUs"],
  ["global_quota", "globalQuotaUs"],
  ["iothread_period", "iothreadPeriodUs"],
  ["iothread_quota", "iothreadQuotaUs"],
] as const satisfies readonly (readonly [string, keyof Cputune])[];

type Memtune = NonNullable<Domain["memtune"]>;
type Blkiotune = NonNullable<Domain["blkiotune"]>;

/**
 * Returns the domain with changed memory limits; an unlimited value is removed from the XML. Throws "usage"
 * for a limit of memory above that of memory and swap. qemuDomainSetMemoryParameters() of libvirt
 */
export function replaceMemtune(domain: Domain, change: Partial<Memtune>): Domain {
  const { hardLimitKiB = 0, swapHardLimitKiB = Number.MAX_SAFE_INTEGER } = { ...domain.memtune, ...change };
  if (hardLimitKiB > swapHardLimitKiB && hardLimitKiB < Number.MAX_SAFE_INTEGER) {
    const why = "memory hard_limit tunable value must be lower than or equal to swap_hard_limit";
    throw new SvirtError(`invalid argument: ${why}`, {
      kind: "usage",
      from: "DOMAIN",
      remedy: `Give a larger limit of memory and swap, or a hard limit of at most ${swapHardLimitKiB} KiB.`,
    });
  }
  const limits = Object.entries({ ...domain.memtune, ...change });
  const left = limits.filter(([, kiB]) => kiB !== undefined && kiB < Number.MAX_SAFE_INTEGER);
  const { memtune: _, ...rest } = domain;
  return left.length === 0 ? rest : { ...rest, memtune: Object.fromEntries(left) as Memtune };
}

/** Key of a device's limit in the parsed `<blkiotune>`. */
export type DeviceLimit = Exclude<keyof Blkiotune["devices"][number], "path">;

/** Limit of a device of the host. */
export interface DeviceShare {
  readonly path: string;
  readonly value: number;
}

/** Parses libvirt's list, in which each path has a number after it. Throws "usage". */
export function parseDeviceShares(text: string): readonly DeviceShare[] {
  const words = text.split(",");
  return words.flatMap((path, at) => {
    if (at % 2 === 1) return [];
    const value = words[at + 1] ?? "";
    if (path.startsWith("/") && /^\d{1,15}$/.test(value)) return [{ path, value: Number(value) }];
    throw new SvirtError(`unsupported configuration: unable to parse '${text}'`, {
      kind: "usage",
      libvirt: "CONFIG_UNSUPPORTED",
      remedy: "Write a path and a number for each device: /dev/sda,100,/dev/sdb,200",
    });
  });
}

/**
 * Returns the domain with a different weight for its disks and changed limits of devices; 0 removes a limit.
 */
export function replaceBlkiotune(
  domain: Domain,
  change: {
    readonly weight: number | undefined;
    readonly devices: readonly (DeviceShare & { readonly limit: DeviceLimit })[];
  },
): Domain {
  const devices = new Map((domain.blkiotune?.devices ?? []).map((device) => [device.path, { ...device }]));
  for (const { limit, path, value } of change.devices) {
    const { [limit]: _, ...others } = devices.get(path) ?? { path };
    devices.set(path, value === 0 ? others : { ...others, [limit]: value });
  }
  const weight = change.weight ?? domain.blkiotune?.weight;
  const left = [...devices.values()].filter((device) => Object.keys(device).length > 1);
  const { blkiotune: _, ...rest } = domain;
  if (weight === undefined && left.length === 0) return rest;
  return { ...rest, blkiotune: { devices: left, ...(weight === undefined ? {} : { weight }) } };
}
