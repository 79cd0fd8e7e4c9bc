import { unlessRefused } from "../errors.ts";
import type { Host } from "../host/host.ts";
import type { NamedCpu } from "../qemu/cpu-model/baseline.ts";
import { vendorName } from "../qemu/cpu-model/vendor.ts";
import { attributesDraft, type Draft, parentDraft, textDraft } from "../xml/draft.ts";
import { getNodeFacts } from "./node-facts.ts";

const HUGE_PAGES = "/sys/kernel/mm/hugepages";
/** Size of a page of an x86 processor, in KiB. */
export const PAGE_KIB = 4;

/** Processor of the host, as the kernel reports it. */
export interface HostCpu {
  /** Model that QEMU knows, and what KVM can give to guests besides. Undefined without KVM. */
  readonly named: NamedCpu | undefined;
  readonly vendor: string | undefined;
  readonly microcode: number | undefined;
  readonly signature:
    | { readonly family: string; readonly model: string; readonly stepping: string }
    | undefined;
  /** Undefined without /sys. */
  readonly topology:
    | Readonly<Record<"sockets" | "dies" | "clusters" | "cores" | "threads", number>>
    | undefined;
  readonly physicalAddressBits: number | undefined;
  readonly pageSizesKiB: readonly number[];
}

/** Reads the processor's facts, for a processor that KVM can give to guests. proc_cpuinfo(5) */
export function getHostCpu(host: Host, named: NamedCpu | undefined): HostCpu {
  const text = host.readText("/proc/cpuinfo") ?? "";
  const read = (name: string): string | undefined => new RegExp(`^${name}\\s*: (.*)$`, "m").exec(text)?.[1];
  const [family, model, stepping] = [read("cpu family"), read("model"), read("stepping")];
  const isKnown = family !== undefined && model !== undefined && stepping !== undefined;
  const microcode = Number(read("microcode") ?? Number.NaN);
  const bits = /^(\d+) bits physical/.exec(read("address sizes") ?? "")?.[1];
  const facts = unlessRefused(() => getNodeFacts(host));
  return {
    named,
    vendor: vendorName(read("vendor_id") ?? ""),
    microcode: microcode > 0 ? microcode : undefined,
    signature: isKnown ? { family, model, stepping } : undefined,
    topology: facts && {
      sockets: facts.sockets,
      dies: 1,
      clusters: 1,
      cores: facts.cores,
      threads: facts.threads,
    },
    physicalAddressBits: bits === undefined ? undefined : Number(bits),
    pageSizesKiB: [PAGE_KIB, ...listHugeSizes(host, HUGE_PAGES)],
  };
}

/**
 * Lists the sizes of huge pages in KiB for which a folder of sysfs has folders.
 * Documentation/admin-guide/mm/hugetlbpage.rst of Linux
 */
export function listHugeSizes(host: Host, folder: string): readonly number[] {
  const sizes = host.listFolder(folder).flatMap((name) => /^hugepages-(\d+)kB$/.exec(name)?.[1] ?? []);
  return sizes.map(Number).toSorted((one, other) => one - other);
}

/** Formats `<cpu>` of the host. virCPUDefFormatBuf() of libvirt */
export function formatHostCpu(arch: string, cpu: HostCpu): Draft {
  const { microcode, named, physicalAddressBits: bits, signature, vendor } = cpu;
  const topology = Object.entries(cpu.topology ?? {}).map(([name, count]) => [name, String(count)]);
  return parentDraft("cpu", [
    textDraft("arch", arch),
    ...(named === undefined ? [] : [textDraft("model", named.model)]),
    ...(vendor === undefined ? [] : [textDraft("vendor", vendor)]),
    ...(microcode === undefined ? [] : [attributesDraft("microcode", { version: String(microcode) })]),
    ...(signature === undefined ? [] : [attributesDraft("signature", { ...signature })]),
    ...(topology.length === 0 ? [] : [attributesDraft("topology", Object.fromEntries(topology))]),
    ...(bits === undefined ? [] : [attributesDraft("maxphysaddr", { mode: "emulate", bits: String(bits) })]),
    ...(named?.features ?? []).map((name) => attributesDraft("feature", { name })),
    ...cpu.pageSizesKiB.map((size) => attributesDraft("pages", { unit: "KiB", size: String(size) })),
  ]);
}
