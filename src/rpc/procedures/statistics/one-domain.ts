import { SvirtError } from "../../../errors.ts";
import type { DiskStatistics } from "../../../qemu/monitor/statistics.ts";
import { findDiskSizes } from "../../../vm/block/disk-sizes.ts";
import { getControlState } from "../../../vm/query/control-state.ts";
import { getMemoryStatistics, getStatisticsOfDisk } from "../../../vm/query/guest-statistics.ts";
import { getInterfaceStatistics } from "../../../vm/query/interface-statistics.ts";
import { array, hyper, int, struct, uhyper, uint, type ValueOf } from "../../xdr/form.ts";
import { type TypedParameter, typedParameter } from "../../xdr/typed-parameter.ts";
import { aboutDomain, domain, keyOf, ofDomainWithFlags, text } from "../objects.ts";
import { type Procedure, procedure, type RemoteCall } from "../procedure.ts";

/** VIR_TYPED_PARAM_STRING_OKAY, added by clients to their flags: they take texts as parameters. */
export const STRINGS = 4;
/**
 * REMOTE_DOMAIN_BLOCK_STATS_PARAMETERS_MAX and REMOTE_DOMAIN_MEMORY_STATS_MAX of libvirt's remote_protocol.x
 */
const [MOST_BLOCK, MOST_MEMORY] = [16, 1024];
/** Value of virDomainBlockStats.errs: QEMU counts no errors. */
const NOT_COUNTED = -1n;
/** VIR_DOMAIN_BLOCK_STATS_* of libvirt's libvirt-domain.h */
const DISK_NUMBERS: readonly (readonly [field: string, key: keyof DiskStatistics])[] = [
  ["wr_bytes", "writeBytes"],
  ["wr_operations", "writeRequests"],
  ["rd_bytes", "readBytes"],
  ["rd_operations", "readRequests"],
  ["flush_operations", "flushRequests"],
  ["wr_total_times", "writeNs"],
  ["rd_total_times", "readNs"],
  ["flush_total_times", "flushNs"],
];
/** virDomainMemoryStatTags of libvirt's libvirt-domain.h, by virsh's names */
const MEMORY_TAGS: ReadonlyMap<string, number> = new Map(
  [
    ...[
      "swap_in",
      "swap_out",
      "major_fault",
      "minor_fault",
      "unused",
      "available",
      "actual",
      "rss",
      "usable",
    ],
    ...["last_update", "disk_caches", "hugetlb_pgalloc", "hugetlb_pgfail"],
  ].map((name, tag) => [name, tag]),
);
/** virDomainControlState and virDomainControlErrorReason of libvirt's libvirt-domain.h */
const [CONTROL, MONITOR_FAILURE] = [{ ok: 0, occupied: 2, error: 3 }, 2];

const ofDevice = struct({ dom: domain, path: text });

/** Procedures for the statistics of a domain or of its device. */
export const oneDomainProcedures: readonly Procedure[] = [
  procedure({
    ...aboutDomain(64, "virDomainBlockStats"),
    args: ofDevice,
    result: struct({
      readRequests: hyper,
      readBytes: hyper,
      writeRequests: hyper,
      writeBytes: hyper,
      errors: hyper,
    }),
    async run(call) {
      const is = await diskOf(call);
      return {
        readRequests: BigInt(is.readRequests),
        readBytes: BigInt(is.readBytes),
        writeRequests: BigInt(is.writeRequests),
        writeBytes: BigInt(is.writeBytes),
        errors: NOT_COUNTED,
      };
    },
  }),
  procedure({
    ...aboutDomain(243, "virDomainBlockStatsFlags"),
    args: struct({ dom: domain, path: text, most: int, flags: uint }),
    flags: { known: STRINGS, refusedBy: "qemuDomainBlockStatsFlags" },
    result: struct({ params: array(typedParameter, MOST_BLOCK), count: int }),
    async run(call) {
      const is = await diskOf(call);
      const all = DISK_NUMBERS.map(([field, key]) => llong(field, is[key] ?? 0));
      return listed(all, call.args.most);
    },
  }),
  procedure({
    ...aboutDomain(65, "virDomainInterfaceStats"),
    args: ofDevice,
    result: struct({
      ...{ rxBytes: hyper, rxPackets: hyper, rxErrors: hyper, rxDropped: hyper },
      ...{ txBytes: hyper, txPackets: hyper, txErrors: hyper, txDropped: hyper },
    }),
    run(call) {
      const { statistics: is } = getInterfaceStatistics(call.instance, keyOf(call), call.args.path);
      return {
        rxBytes: BigInt(is.rxBytes),
        rxPackets: BigInt(is.rxPackets),
        rxErrors: BigInt(is.rxErrors),
        rxDropped: BigInt(is.rxDropped),
        txBytes: BigInt(is.txBytes),
        txPackets: BigInt(is.txPackets),
        txErrors: BigInt(is.txErrors),
        txDropped: BigInt(is.txDropped),
      };
    },
  }),
  procedure({
    ...aboutDomain(159, "virDomainMemoryStats"),
    args: struct({ dom: domain, most: uint, flags: uint }),
    flags: { known: 0, refusedBy: "qemuDomainMemoryStats" },
    result: struct({ stats: array(struct({ tag: int, value: uhyper }), MOST_MEMORY) }),
    async run(call) {
      const { actualKiB, rssKiB, told } = await getMemoryStatistics(call.instance, keyOf(call));
      const rss = rssKiB === undefined ? [] : [["rss", rssKiB] as const];
      const all = [["actual", actualKiB] as const, ...told, ...rss].flatMap(([name, value]) => {
        const tag = MEMORY_TAGS.get(name);
        return tag === undefined ? [] : [{ tag, value: BigInt(value) }];
      });
      return { stats: all.slice(0, call.args.most) };
    },
  }),
  procedure({
    ...aboutDomain(194, "virDomainGetBlockInfo"),
    args: struct({ dom: domain, path: text, flags: uint }),
    flags: { known: 0, refusedBy: "qemuDomainGetBlockInfo" },
    result: struct({ allocation: uhyper, capacity: uhyper, physical: uhyper }),
    run(call) {
      const { allocation, capacity, physical, target } = findDiskSizes(
        call.instance,
        keyOf(call),
        call.args.path,
      );
      if (allocation === undefined || capacity === undefined || physical === undefined)
        throw withoutSource(target);
      return { allocation: BigInt(allocation), capacity: BigInt(capacity), physical: BigInt(physical) };
    },
  }),
  procedure({
    ...aboutDomain(229, "virDomainGetControlInfo"),
    args: ofDomainWithFlags,
    flags: { known: 0, refusedBy: "qemuDomainGetControlInfo" },
    result: struct({ state: uint, details: uint, stateMs: uhyper }),
    async run(call) {
      const control = await getControlState(call.instance, keyOf(call));
      return {
        state: CONTROL[control],
        details: control === "error" ? MONITOR_FAILURE : 0,
        stateMs: 0n,
      };
    },
  }),
];

/**
 * Returns a disk's statistics; all disks' together for an empty path. qemuDomainBlocksStatsGather() of
 * libvirt
 */
async function diskOf(call: RemoteCall<ValueOf<typeof ofDevice>>): Promise<DiskStatistics> {
  const { path } = call.args;
  return (await getStatisticsOfDisk(call.instance, keyOf(call), path === "" ? undefined : path)).statistics;
}

/**
 * Returns the first parameters, or their number for a client that asks for none.
 * remoteDispatchDomainBlockStatsFlags() of libvirt
 */
function listed(
  all: readonly TypedParameter[],
  most: number,
): { readonly params: readonly TypedParameter[]; readonly count: number } {
  return most === 0
    ? { params: [], count: all.length }
    : { params: all.slice(0, Math.max(0, most)), count: 0 };
}

function llong(field: string, value: number): TypedParameter {
  return { field, value: { type: "llong", value: BigInt(value) } };
}

/** qemuDomainGetBlockInfo() of libvirt */
function withoutSource(target: string): SvirtError {
  return new SvirtError(`invalid argument: disk '${target}' does not currently have a source assigned`, {
    kind: "usage",
    remedy: "Name a disk that has an image on the host.",
  });
}
