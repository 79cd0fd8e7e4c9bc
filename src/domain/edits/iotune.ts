import { SvirtError } from "../../errors.ts";
import type { Disk } from "../devices/disk/disk.ts";
import { isDiskNamed } from "../devices/disk/facts.ts";
import type { Domain } from "../domain.ts";

/** `<iotune>` of a disk. */
export type Iotune = NonNullable<Disk["iotune"]>;

const AMOUNTS = ["totalBytesSec", "readBytesSec", "writeBytesSec"] as const;
const RATES = ["totalIopsSec", "readIopsSec", "writeIopsSec"] as const;

/**
 * Limits in replacement of each other: a given limit resets the others. qemuDomainSetBlockIoTuneDefaults() of
 * libvirt
 */
const FAMILIES: readonly (readonly (keyof Iotune)[])[] = [
  AMOUNTS,
  RATES,
  AMOUNTS.map((name) => `${name}Max` as const),
  RATES.map((name) => `${name}Max` as const),
];

/**
 * Parameters of a disk's limits, and their fields in the XML's type, in libvirt's order.
 * qemuDomainGetBlockIoTune() of libvirt
 */
export const IOTUNE_PARAMETERS = [
  ["total_bytes_sec", "totalBytesSec"],
  ["read_bytes_sec", "readBytesSec"],
  ["write_bytes_sec", "writeBytesSec"],
  ["total_iops_sec", "totalIopsSec"],
  ["read_iops_sec", "readIopsSec"],
  ["write_iops_sec", "writeIopsSec"],
  ["total_bytes_sec_max", "totalBytesSecMax"],
  ["read_bytes_sec_max", "readBytesSecMax"],
  ["write_bytes_sec_max", "writeBytesSecMax"],
  ["total_iops_sec_max", "totalIopsSecMax"],
  ["read_iops_sec_max", "readIopsSecMax"],
  ["write_iops_sec_max", "writeIopsSecMax"],
  ["size_iops_sec", "sizeIopsSec"],
  ["group_name", "groupName"],
  ["total_bytes_sec_max_length", "totalBytesSecMaxLength"],
  ["read_bytes_sec_max_length", "readBytesSecMaxLength"],
  ["write_bytes_sec_max_length", "writeBytesSecMaxLength"],
  ["total_iops_sec_max_length", "totalIopsSecMaxLength"],
  ["read_iops_sec_max_length", "readIopsSecMaxLength"],
  ["write_iops_sec_max_length", "writeIopsSecMaxLength"],
] as const satisfies readonly (readonly [string, keyof Iotune])[];

/** Largest limit. QEMU_BLOCK_IOTUNE_MAX of libvirt's qemu_driver.c */
const MOST = 1e15;

/**
 * Returns the disk with that target or source path. Throws "usage" with libvirt's message.
 * qemuDomainDiskByName()
 */
export function diskNamed({ devices: { disks } }: Pick<Domain, "devices">, name: string): Disk {
  const found = disks.find((disk) => isDiskNamed(disk, name));
  if (found !== undefined) return found;
  throw new SvirtError(`invalid argument: disk '${name}' was not found in the domain config`, {
    kind: "usage",
    remedy: "List the disks: svirt domblklist DOMAIN",
  });
}

/**
 * Returns the domain with other limits of a disk, and of all disks of its group. A limit of 0 is none. Throws
 * "usage", "unsupported" with libvirt's messages.
 */
export function replaceIotune(domain: Domain, name: string, given: Partial<Iotune>): Domain {
  const { iotune: before = {}, target } = diskNamed(domain, name);
  const limits = withoutNone(merged(before, given));
  refuseContradictions(limits);
  const isLimited = Object.keys(limits).some((key) => key !== "groupName");
  const disks = domain.devices.disks.map((disk): Disk => {
    const isOfGroup = limits.groupName !== undefined && disk.iotune?.groupName === limits.groupName;
    if (disk.target.dev !== target.dev && !isOfGroup) return disk;
    const { iotune: _, ...rest } = disk;
    return (isLimited ? { ...rest, iotune: limits } : rest) as Disk;
  });
  return { ...domain, devices: { ...domain.devices, disks } };
}

function merged(before: Partial<Iotune>, given: Partial<Iotune>): Partial<Iotune> {
  const replaced = FAMILIES.filter((family) => family.some((key) => given[key] !== undefined)).flat();
  const kept = Object.entries(before).filter(([key]) => !replaced.some((other) => other === key));
  const all: Partial<Iotune> = { ...Object.fromEntries(kept), ...given };
  return { ...all, ...resetLengths(before, given, all) };
}

/**
 * Returns a length of 1 s in place of a 0 while its limit remains: QEMU refuses a length of 0. A length ends
 * with its maximum. qemuDomainSetBlockIoTuneDefaults() of libvirt
 */
function resetLengths(
  before: Partial<Iotune>,
  given: Partial<Iotune>,
  all: Partial<Iotune>,
): Partial<Iotune> {
  const has = (limits: Partial<Iotune>, key: keyof Iotune): boolean => Number(limits[key] ?? 0) > 0;
  return Object.fromEntries(
    [...AMOUNTS, ...RATES].flatMap((base) => {
      const [length, most] = [`${base}MaxLength` as const, `${base}Max` as const];
      if (given[length] === undefined) return has(all, most) ? [] : [[length, 0]];
      const isReset = given[length] === 0 && has(before, length);
      return isReset && (has(all, base) || has(all, most)) ? [[length, 1]] : [];
    }),
  );
}

function withoutNone(limits: Partial<Iotune>): Iotune {
  return Object.fromEntries(
    Object.entries(limits).filter(([, value]) => value !== 0 && value !== "" && value !== undefined),
  ) as Iotune;
}

/** qemuDomainSetBlockIoTune() and qemuDomainCheckBlockIoTuneMax() of libvirt */
function refuseContradictions(limits: Iotune): void {
  if (Object.values(limits).some((value) => typeof value === "number" && value > MOST)) {
    throw new SvirtError(
      `argument unsupported: block I/O throttle limit value must be no more than ${MOST}`,
      {
        kind: "unsupported",
        libvirt: "ARGUMENT_UNSUPPORTED",
        remedy: "Give a smaller limit.",
      },
    );
  }
  for (const family of FAMILIES) refuseTotalAndParts(limits, family);
  for (const base of [...AMOUNTS, ...RATES]) refuseMaximum(limits, base);
}

function refuseTotalAndParts(
  limits: Iotune,
  [total = "totalBytesSec", ...parts]: readonly (keyof Iotune)[],
): void {
  if (limits[total] === undefined || parts.every((part) => limits[part] === undefined)) return;
  const what = nameOf(total).replace("total_", "");
  throw new SvirtError(`invalid argument: total and read/write of ${what} cannot be set at the same time`, {
    kind: "usage",
    remedy: "Give the total, or a limit of reads and one of writes.",
  });
}

function refuseMaximum(limits: Iotune, base: (typeof AMOUNTS)[number] | (typeof RATES)[number]): void {
  const [most, length] = [`${base}Max` as const, `${base}MaxLength` as const];
  if (limits[most] !== undefined && limits[base] === undefined) throw unset(nameOf(most), nameOf(base));
  if (limits[length] !== undefined && limits[most] === undefined) throw unset(nameOf(length), nameOf(most));
  if ((limits[most] ?? MOST) < (limits[base] ?? 0))
    throw contradiction(`value '${nameOf(most)}' cannot be smaller than '${nameOf(base)}'`);
}

function nameOf(key: keyof Iotune): string {
  return IOTUNE_PARAMETERS.find(([, other]) => other === key)?.[0] ?? key;
}

function unset(name: string, base: string): SvirtError {
  return contradiction(`value '${name}' cannot be set if '${base}' is not set`);
}

function contradiction(why: string): SvirtError {
  return new SvirtError(`unsupported configuration: ${why}`, {
    kind: "usage",
    libvirt: "CONFIG_UNSUPPORTED",
    remedy: "Set both values, the larger one as the maximum.",
  });
}
