import * as v from "valibot";
import { count, parseAnswer } from "./parse-answer.ts";

const cpusFast = v.array(v.looseObject({ "cpu-index": count, "thread-id": count, "qom-path": v.string() }));

/** A virtual CPU that is plugged in: its number, the thread that runs it, and its path among QEMU's objects. */
export interface VcpuThread {
  readonly index: number;
  readonly thread: number;
  readonly path: string;
}

/** From the answer of query-cpus-fast, by number. Throws "failed". */
export function parseVcpuThreads(answer: unknown): readonly VcpuThread[] {
  return parseAnswer(cpusFast, answer, "query-cpus-fast")
    .map((found) => ({ index: found["cpu-index"], thread: found["thread-id"], path: found["qom-path"] }))
    .toSorted((a, b) => a.index - b.index);
}
