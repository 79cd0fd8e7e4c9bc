import * as v from "valibot";
import { SvirtError } from "../errors.ts";

/** What a disk has done since QEMU was started. qemu.git qapi/block-core.json BlockDeviceStats */
export interface DiskStatistics {
  readonly readRequests: number;
  readonly readBytes: number;
  readonly writeRequests: number;
  readonly writeBytes: number;
  readonly flushRequests: number;
  readonly readNs: number;
  readonly writeNs: number;
  readonly flushNs: number;
}

const count = v.pipe(v.number(), v.minValue(0));
const blockStats = v.array(
  v.looseObject({
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
    }),
  }),
);
const balloon = v.looseObject({ actual: count });

/**
 * The answer of query-blockstats, by the id of the disk's device: QEMU names the device, or the path of what serves it,
 * `/machine/peripheral/virtio-disk0/virtio-backend`. Throws "failed" for what is no such answer.
 */
export function parseBlockStatistics(answer: unknown): ReadonlyMap<string, DiskStatistics> {
  const found = parseAnswer(blockStats, answer, "query-blockstats");
  return new Map(
    found.flatMap(({ qdev, stats }) => {
      if (qdev === undefined) return [];
      const statistics: DiskStatistics = {
        readRequests: stats.rd_operations,
        readBytes: stats.rd_bytes,
        writeRequests: stats.wr_operations,
        writeBytes: stats.wr_bytes,
        flushRequests: stats.flush_operations,
        readNs: stats.rd_total_time_ns,
        writeNs: stats.wr_total_time_ns,
        flushNs: stats.flush_total_time_ns,
      };
      return [[deviceOf(qdev), statistics] as const];
    }),
  );
}

/** The answer of query-balloon: how much memory the guest has, in KiB. Throws "failed" for what is no such answer. */
export function parseBalloonKiB(answer: unknown): number {
  return Math.floor(parseAnswer(balloon, answer, "query-balloon").actual / 1024);
}

/** The id of a device by its path among QEMU's objects. */
function deviceOf(qdev: string): string {
  return /^\/machine\/peripheral\/([^/]+)/.exec(qdev)?.[1] ?? qdev;
}

function parseAnswer<Schema extends v.GenericSchema>(
  schema: Schema,
  answer: unknown,
  command: string,
): v.InferOutput<Schema> {
  const parsed = v.safeParse(schema, answer);
  if (parsed.success) return parsed.output;
  const place = v.getDotPath(parsed.issues[0]);
  throw new SvirtError(`Cannot read QEMU's answer to ${command}: ${place ?? "it"} is not as expected`, {
    kind: "failed",
    remedy: `See it whole: svirt qemu-monitor-command DOMAIN ${command}`,
  });
}
