import * as v from "valibot";
import { count, parseAnswer } from "./parse-answer.ts";

/** I/O statistics of a disk since QEMU's start. qemu.git qapi/block-core.json BlockDeviceStats */
export interface DiskStatistics {
  readonly readRequests: number;
  readonly readBytes: number;
  readonly writeRequests: number;
  readonly writeBytes: number;
  readonly flushRequests: number;
  readonly readNs: number;
  readonly writeNs: number;
  readonly flushNs: number;
  /** Highest offset written in the image's file; undefined if QEMU does not report it. */
  readonly highestByte?: number;
}

/** Adds the statistics of several disks. Omits `highestByte`: it has no sum. */
export function addStatistics(parts: readonly DiskStatistics[]): DiskStatistics {
  const sumOf = (key: Exclude<keyof DiskStatistics, "highestByte">): number =>
    parts.reduce((sum, part) => sum + part[key], 0);
  return {
    readRequests: sumOf("readRequests"),
    readBytes: sumOf("readBytes"),
    writeRequests: sumOf("writeRequests"),
    writeBytes: sumOf("writeBytes"),
    flushRequests: sumOf("flushRequests"),
    readNs: sumOf("readNs"),
    writeNs: sumOf("writeNs"),
    flushNs: sumOf("flushNs"),
  };
}

const blockStats = v.array(
  v.looseObject({
    parent: v.exactOptional(v.looseObject({ stats: v.looseObject({ wr_highest_offset: count }) })),
    "node-name": v.exactOptional(v.string()),
    qdev: v.exactOptional(v.string()),
    stats: v.looseObject({
      rd_operations: count,
      rd_bytes: count,
      wr_operations: count,
      wr_bytes: count,
      flush_operations: count,
      rd_total_time_ns: count,
      wr_total_time_ns: count,
      flush_total_time_ns: count,
      wr_highest_offset: v.exactOptional(count),
    }),
  }),
);
const balloon = v.looseObject({ actual: count });

/**
 * Parses the answer of query-blockstats, by device id. QEMU reports the id, or the QOM path of the backend,
 * `/machine/peripheral/virtio-disk0/virtio-backend`. Throws "failed" for an unexpected answer.
 */
export function parseBlockStatistics(answer: unknown): ReadonlyMap<string, DiskStatistics> {
  return new Map(
    parseAnswer(blockStats, answer, "query-blockstats").flatMap((found) =>
      found.qdev === undefined ? [] : [[deviceOf(found.qdev), statisticsIn(found)] as const],
    ),
  );
}

/** Parses the answer of query-blockstats with `query-nodes`, by node name. Throws "failed". */
export function parseNodeStatistics(answer: unknown): ReadonlyMap<string, DiskStatistics> {
  return new Map(
    parseAnswer(blockStats, answer, "query-blockstats").flatMap((found) => {
      const name = found["node-name"];
      return name === undefined ? [] : [[name, statisticsIn(found)] as const];
    }),
  );
}

/**
 * Parses the answer of query-balloon: the guest's memory in KiB. Throws "failed" for an unexpected answer.
 */
export function parseBalloonKiB(answer: unknown): number {
  return Math.floor(parseAnswer(balloon, answer, "query-balloon").actual / 1024);
}

/** Returns the device's id in a QOM path, or any other text unchanged. */
export function deviceOf(qdev: string): string {
  return /^\/machine\/peripheral\/([^/]+)/.exec(qdev)?.[1] ?? qdev;
}

function statisticsIn({ parent, stats }: v.InferOutput<typeof blockStats>[number]): DiskStatistics {
  // A raw image is the file itself, without another node below it.
  const highest = (parent?.stats ?? stats).wr_highest_offset;
  return {
    readRequests: stats.rd_operations,
    readBytes: stats.rd_bytes,
    writeRequests: stats.wr_operations,
    writeBytes: stats.wr_bytes,
    flushRequests: stats.flush_operations,
    readNs: stats.rd_total_time_ns,
    writeNs: stats.wr_total_time_ns,
    flushNs: stats.flush_total_time_ns,
    ...(highest === undefined ? {} : { highestByte: highest }),
  };
}
