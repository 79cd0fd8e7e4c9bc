import * as v from "valibot";
import { count, parseAnswer } from "./parse-answer.ts";

/** Most vCPUs of any machine of QEMU. A compromised QEMU may name more. */
const MOST_VCPUS = 4096;
const cpusFast = v.pipe(
  v.array(v.looseObject({ "cpu-index": count, "thread-id": count, "qom-path": v.string() })),
  v.maxLength(MOST_VCPUS),
);

/** A plugged vCPU: its number, its thread, and its QOM path. */
export interface VcpuThread {
  readonly index: number;
  readonly thread: number;
  readonly path: string;
}

/**
 * Parses the answer of query-cpus-fast, sorted by number. A QOM path belongs to a single vCPU: the counters
 * of all vCPUs are no more than QEMU has sent. Throws "failed".
 */
export function parseVcpuThreads(answer: unknown): readonly VcpuThread[] {
  const found = parseAnswer(cpusFast, answer, "query-cpus-fast");
  return [...new Map(found.map((one) => [one["qom-path"], one])).values()]
    .map((one) => ({ index: one["cpu-index"], thread: one["thread-id"], path: one["qom-path"] }))
    .toSorted((a, b) => a.index - b.index);
}
