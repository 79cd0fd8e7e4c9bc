import type { Domain } from "../../domain/domain.ts";
import { SvirtError } from "../../errors.ts";
import type { Instance } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";
import type { Ask } from "../change/change-domain.ts";
import { decideImpact } from "../change/impact.ts";
import { formOf } from "../guest/domain-form.ts";
import { findDomain } from "../guest/find-domain.ts";

/** A domain as it runs or as it is defined; `guest` is set in the first case. */
interface ShownDomain {
  readonly domain: Domain;
  readonly guest: GuestRecord | undefined;
}

/**
 * Returns the domain that `ask` selects: the running guest, unless it asks for the definition. Throws
 * "not-found", "usage", "wrong-state".
 */
export function findShown(instance: Instance, { key, options }: Ask): ShownDomain {
  if (options.live === true && options.config === true) {
    throw new SvirtError("Options --live and --config are mutually exclusive", {
      kind: "usage",
      remedy: "Remove one of the options.",
    });
  }
  const impact = decideImpact(findDomain(instance, key), options);
  return { domain: formOf(instance, impact, "running"), guest: impact.guest };
}

/** Limits of memory in KiB; undefined: none. */
export interface MemoryLimits {
  readonly hardKiB: number | undefined;
  readonly softKiB: number | undefined;
  readonly swapHardKiB: number | undefined;
}

/**
 * Returns the limits: the kernel's for a running guest, those of the XML for a definition. Throws as
 * findShown() does.
 */
export function readMemoryLimits(instance: Instance, ask: Ask): MemoryLimits {
  const { domain, guest } = findShown(instance, ask);
  if (guest === undefined) {
    const { hardLimitKiB, softLimitKiB, swapHardLimitKiB } = domain.memtune ?? {};
    return { hardKiB: hardLimitKiB, softKiB: softLimitKiB, swapHardKiB: swapHardLimitKiB };
  }
  const read = (file: string): number | undefined => {
    const text = readGroupFile(instance, guest, file);
    return text === undefined || text === "max" ? undefined : Number(text) / 1024;
  };
  const [hardKiB, swapKiB] = [read("memory.max"), read("memory.swap.max")];
  // The kernel's limit applies only to swap.
  const swapHardKiB = swapKiB === undefined || hardKiB === undefined ? undefined : hardKiB + swapKiB;
  return { hardKiB, softKiB: read("memory.high"), swapHardKiB };
}

/** A share of the processors; times in microseconds, -1 for no quota. */
export interface CpuShares {
  readonly shares: number;
  readonly vcpu: Quota;
  readonly emulator: Quota;
  readonly global: Quota;
  readonly iothread: Quota;
}

interface Quota {
  readonly periodUs: number;
  readonly quotaUs: number;
}

/**
 * Returns the kernel's values for a running guest. For a definition, 0 stands for a missing value, as in
 * virsh. Throws as findShown() does.
 */
export function readCpuShares(instance: Instance, ask: Ask): CpuShares {
  const { domain, guest } = findShown(instance, ask);
  if (guest === undefined) return definedShares(domain);
  const read = (folder: string): Quota => {
    const text = readGroupFile(instance, guest, `${folder}cpu.max`) ?? "max 100000";
    const [quota = "max", period = "100000"] = text.split(" ");
    return { periodUs: Number(period), quotaUs: quota === "max" ? -1 : Number(quota) };
  };
  return {
    shares: Number(readGroupFile(instance, guest, "cpu.weight") ?? "100"),
    vcpu: read("vcpu0/"),
    emulator: read("emulator/"),
    global: read(""),
    iothread: read("iothread1/"),
  };
}

/** Share of the host's disks. */
export interface DiskShares {
  /** Against other guests; undefined: none. */
  readonly weight: number | undefined;
  /** Limits of single devices. */
  readonly devices: NonNullable<Domain["blkiotune"]>["devices"];
}

/**
 * Returns the weight of a running guest's disks, or the one in the XML, and the XML's limits. Throws as
 * findShown() does.
 */
export function readDiskShares(instance: Instance, ask: Ask): DiskShares {
  const shown = findShown(instance, ask);
  return { weight: readDiskWeight(instance, shown), devices: shown.domain.blkiotune?.devices ?? [] };
}

function readDiskWeight(instance: Instance, { domain, guest }: ShownDomain): number | undefined {
  if (guest === undefined) return domain.blkiotune?.weight;
  const text = ["io.bfq.weight", "io.weight"]
    .map((file) => readGroupFile(instance, guest, file))
    .find(Boolean);
  const weight = /^(?:default )?(\d+)/.exec(text ?? "")?.[1];
  return weight === undefined ? undefined : Number(weight);
}

function definedShares({ cputune = undefined }: Domain): CpuShares {
  const quota = (periodUs = 0, quotaUs = 0): Quota => ({ periodUs, quotaUs });
  return {
    shares: cputune?.shares ?? 0,
    vcpu: quota(cputune?.periodUs, cputune?.quotaUs),
    emulator: quota(cputune?.emulatorPeriodUs, cputune?.emulatorQuotaUs),
    global: quota(cputune?.globalPeriodUs, cputune?.globalQuotaUs),
    iothread: quota(cputune?.iothreadPeriodUs, cputune?.iothreadQuotaUs),
  };
}

function readGroupFile(instance: Instance, { steps }: GuestRecord, file: string): string | undefined {
  const made = steps.find((step) => step.do === "make-group");
  if (made?.do !== "make-group") return undefined;
  return instance.host.readText(`${made.group.path}/${file}`)?.trim();
}
