import type { Domain } from "../../domain/domain.ts";
import { SvirtError } from "../../errors.ts";
import type { ControlValue } from "../facts/limits.ts";

/** Period of a quota without a period in the XML. cgroups(7) cpu.max */
const DEFAULT_PERIOD_US = 100_000;
/** Maximum of cpu.weight; libvirt writes `<shares>` there unchanged. virCgroupV2SetCpuShares() */
const MOST_WEIGHT = 10_000;
const WEIGHTS = ["io.bfq.weight", "io.weight"];

/**
 * Returns the limits of `<memtune>`. At the soft limit the kernel begins to reclaim memory.
 * `<swap_hard_limit>` limits memory and swap together, but the kernel's file limits only swap.
 */
export function limitMemory(memtune: Domain["memtune"]): ControlValue[] {
  if (memtune === undefined) return [];
  const { hardLimitKiB: hard, softLimitKiB: soft, swapHardLimitKiB: both } = memtune;
  const swap = isUnlimited(both) ? both : Math.max(0, (both ?? 0) - (isUnlimited(hard) ? 0 : (hard ?? 0)));
  return [
    ...sizeValue("memory.max", hard),
    ...sizeValue("memory.high", soft),
    ...sizeValue("memory.swap.max", swap),
  ];
}

/**
 * Returns the limits of `<blkiotune>`: weights, and limits of devices. Throws "not-found" for a path of no
 * block device.
 */
export function limitBlkio(
  blkiotune: Domain["blkiotune"],
  facts: { deviceNumber(path: string): string | undefined },
): ControlValue[] {
  if (blkiotune === undefined) return [];
  const { devices, weight } = blkiotune;
  return [
    ...(weight === undefined ? [] : [{ names: WEIGHTS, value: `default ${weight}` }]),
    ...devices.flatMap((device) => {
      const number = facts.deviceNumber(device.path);
      if (number === undefined) {
        throw new SvirtError(`Cannot limit ${device.path} for the guest: it must be a block device`, {
          kind: "not-found",
          remedy: "Correct <path> in /domain/blkiotune/device.",
        });
      }
      return limitDevice(device, number);
    }),
  ];
}

/**
 * Returns the limits of `<cputune>` for the whole guest: shares and quota. Throws "unsupported" for too many
 * shares.
 */
export function limitCpu(cputune: Domain["cputune"]): ControlValue[] {
  if (cputune === undefined) return [];
  const { globalPeriodUs, globalQuotaUs, shares } = cputune;
  if ((shares ?? 0) > MOST_WEIGHT) {
    throw new SvirtError(`cpu.weight '${shares}' must be in range [1, ${MOST_WEIGHT}]`, {
      kind: "unsupported",
      remedy: "Write a smaller <shares> in /domain/cputune: the default is 100.",
    });
  }
  const quota = quotaValue(globalQuotaUs, globalPeriodUs);
  return [
    ...(shares === undefined ? [] : [{ names: ["cpu.weight"], value: String(shares) }]),
    ...(quota === undefined ? [] : [{ names: ["cpu.max"], value: quota }]),
  ];
}

/** Returns quota and period as in cpu.max; undefined if the XML has neither. */
export function quotaValue(quotaUs: number | undefined, periodUs: number | undefined): string | undefined {
  if (quotaUs === undefined && periodUs === undefined) return undefined;
  const quota = quotaUs === undefined || quotaUs <= 0 ? "max" : String(quotaUs);
  return `${quota} ${periodUs ?? DEFAULT_PERIOD_US}`;
}

type Device = NonNullable<Domain["blkiotune"]>["devices"][number];

/** Returns the limits of a device; 0 means no limit. virCgroupV2SetBlkioDeviceReadIops() and its like */
function limitDevice(device: Device, number: string): ControlValue[] {
  const limits = [
    ["riops", device.readOperations],
    ["wiops", device.writeOperations],
    ["rbps", device.readBytes],
    ["wbps", device.writeBytes],
  ] as const;
  const words = limits.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value || "max"}`]));
  return [
    ...(device.weight === undefined ? [] : [{ names: WEIGHTS, value: `${number} ${device.weight}` }]),
    ...(words.length === 0 ? [] : [{ names: ["io.max"], value: `${number} ${words.join(" ")}` }]),
  ];
}

function sizeValue(name: string, kiB: number | undefined): ControlValue[] {
  if (kiB === undefined) return [];
  return [{ names: [name], value: isUnlimited(kiB) ? "max" : String(kiB * 1024) }];
}

/** VIR_DOMAIN_MEMORY_PARAM_UNLIMITED of libvirt */
function isUnlimited(kiB: number | undefined): boolean {
  return kiB === undefined || kiB >= Number.MAX_SAFE_INTEGER;
}
