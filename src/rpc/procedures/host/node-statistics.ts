import { SvirtError } from "../../../errors.ts";
import { getSysinfoXml } from "../../../vm/host/description.ts";
import { getFreePages } from "../../../vm/host/free-pages.ts";
import { getHostMemory, listFreeMemory } from "../../../vm/host/memory.ts";
import { getSharingParameters } from "../../../vm/host/memory-sharing.ts";
import { getHostProcessorTimes } from "../../../vm/host/processors.ts";
import { array, int, struct, uhyper, uint } from "../../xdr/form.ts";
import { typedParameter } from "../../xdr/typed-parameter.ts";
import { aText, text } from "../objects.ts";
import { type Procedure, procedure } from "../procedure.ts";

/** VIR_NODE_CPU_STATS_ALL_CPUS and VIR_NODE_MEMORY_STATS_ALL_CELLS of libvirt's libvirt-host.h */
const ALL = -1;
/** REMOTE_NODE_CPU_STATS_MAX and REMOTE_NODE_MEMORY_STATS_MAX of libvirt's remote_protocol.x */
const MOST_STATISTICS = 16;
/** REMOTE_NODE_MAX_CELLS of libvirt's remote_protocol.x */
const MOST_CELLS = 1024;
/** REMOTE_NODE_MEMORY_PARAMETERS_MAX of libvirt's remote_protocol.x */
const MOST_PARAMETERS = 64;
const BYTES_PER_KIB = 1024n;

const statistics = struct({
  params: array(struct({ field: text, value: uhyper }), MOST_STATISTICS),
  count: int,
});

/** Procedures that return the node's use of its processors and memory, and its SMBIOS data. */
export const nodeStatisticsProcedures: readonly Procedure[] = [
  procedure({
    number: 227,
    api: "virNodeGetCPUStats",
    args: struct({ cpu: int, room: int, flags: uint }),
    flags: { known: 0, refusedBy: "virHostCPUGetStats" },
    result: statistics,
    run({ args: { cpu, room }, instance }) {
      const { idle, iowait, system, user } = getHostProcessorTimes(instance, cpu === ALL ? undefined : cpu);
      // virHostCPUGetStatsLinux() of libvirt
      return statisticsOf({ kernel: system, user, idle, iowait }, room, "virHostCPUGetStatsLinux");
    },
  }),
  procedure({
    number: 228,
    api: "virNodeGetMemoryStats",
    args: struct({ room: int, cell: int, flags: uint }),
    flags: { known: 0, refusedBy: "virHostMemGetStats" },
    result: statistics,
    run({ args: { cell, room }, instance }) {
      if (cell === ALL)
        return statisticsOf(getHostMemory(instance, undefined), room, "virHostMemGetStatsLinux");
      listFreeMemory(instance, { cell });
      // The kernel reports more for a host without NUMA, which is its own cell.
      const { free, total } = getHostMemory(instance, cell);
      return statisticsOf({ total, free }, room, "virHostMemGetStatsLinux");
    },
  }),
  procedure({
    number: 101,
    api: "virNodeGetCellsFreeMemory",
    args: struct({ first: int, most: int }),
    result: struct({ cells: array(uhyper, MOST_CELLS) }),
    run({ args: { first, most }, instance }) {
      const cells = listFreeMemory(instance, "cells");
      // virHostMemGetCellsFree() of libvirt
      if (first < 0 || first >= cells.length)
        throw new SvirtError(`internal error: start cell ${first} out of range (0-${cells.length - 1})`, {
          kind: "usage",
          libvirt: "INTERNAL_ERROR",
          from: "NONE",
          remedy: "Name a NUMA cell of virsh freecell --all.",
        });
      const asked = cells.slice(first, first + Math.max(0, most));
      return { cells: asked.map(({ freeKiB }) => BigInt(freeKiB) * BYTES_PER_KIB) };
    },
  }),
  procedure({
    number: 340,
    api: "virNodeGetFreePages",
    args: struct({ pagesKiB: array(uint, MOST_CELLS), first: int, cells: uint, flags: uint }),
    flags: { known: 0, refusedBy: "qemuNodeGetFreePages" },
    result: struct({ counts: array(uhyper, MOST_CELLS) }),
    run({ args: { cells, first, pagesKiB }, instance }) {
      const counts = getFreePages(instance, { pagesKiB, first, cells });
      return { counts: counts.map(BigInt) };
    },
  }),
  procedure({
    number: 289,
    api: "virNodeGetMemoryParameters",
    args: struct({ room: int, flags: uint }),
    // VIR_TYPED_PARAM_STRING_OKAY
    flags: { known: 4, refusedBy: "virHostMemGetParameters" },
    result: struct({ params: array(typedParameter, MOST_PARAMETERS), count: int }),
    run({ args: { room }, instance }) {
      const found = getSharingParameters(instance);
      const params = found.map(({ name, type, value }) =>
        type === "uint"
          ? ({ field: name, value: { type, value } } as const)
          : ({ field: name, value: { type, value: BigInt(value) } } as const),
      );
      return { params: room === 0 ? [] : params.slice(0, room), count: params.length };
    },
  }),
  procedure({
    number: 203,
    api: "virConnectGetSysinfo",
    args: struct({ flags: uint }),
    flags: { known: 0, refusedBy: "qemuConnectGetSysinfo" },
    result: aText,
    run: ({ instance }) => ({ value: getSysinfoXml(instance) }),
  }),
  procedure({
    number: 395,
    api: "virNodeGetSEVInfo",
    args: struct({ room: int, flags: uint }),
    // VIR_TYPED_PARAM_STRING_OKAY
    flags: { known: 4, refusedBy: "qemuNodeGetSEVInfo" },
    result: struct({ params: array(typedParameter, MOST_PARAMETERS), count: int }),
    run() {
      throw new SvirtError("Operation not supported: QEMU does not support SEV guest", {
        kind: "unsupported",
        libvirt: "OPERATION_UNSUPPORTED",
        remedy: "Start guests without <launchSecurity>.",
      });
    },
  }),
];

/**
 * Returns statistics for a client with room for some, or only their number if it has none: its first call
 * asks for that. Throws "usage" for another number, as libvirt does.
 */
function statisticsOf(
  found: Readonly<Partial<Record<string, number | undefined>>>,
  room: number,
  refusedBy: string,
) {
  const params = Object.entries(found).flatMap(([field, value]) =>
    value === undefined ? [] : [{ field, value: BigInt(value) }],
  );
  if (room === 0) return { params: [], count: params.length };
  if (room === params.length) return { params, count: params.length };
  // virReportInvalidArg() of libvirt puts nothing before it.
  throw new SvirtError(`nparams in ${refusedBy} must be equal to ${params.length}`, {
    kind: "usage",
    from: "NONE",
    remedy: "Ask with 0 parameters for their number first.",
  });
}
