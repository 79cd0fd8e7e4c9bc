import * as v from "valibot";
import { count, parseAnswer } from "./parse-answer.ts";

const cpusFast = v.array(v.looseObject({ "cpu-index": count, "thread-id": count, "qom-path": v.string() }));

/** A plugged vCPU: its number, its thread, and its QOM path. */
export interface VcpuThread {
  readonly index: number;
  readonly thread: number;
  readonly path: string;
}

/** Parses the answer of query-cpus-fast, sorted by number. Throws "failed". */
export function parseVcpuThreads(answer: unknown): readonly VcpuThread[] {
  return parseAnswer(cpusFast, answer, "query-cpus-fast")
    .map((found) => ({ index: found["cpu-index"], thread: found["thread-id"], path: found["qom-path"] }))
    .toSorted((a, b) => a.index - b.index);
}
