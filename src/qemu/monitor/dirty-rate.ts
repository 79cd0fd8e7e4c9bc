import * as v from "valibot";
import { count, parseAnswer } from "./parse-answer.ts";

const dirtyRate = v.looseObject({
  status: v.picklist(["unstarted", "measuring", "measured"]),
  "start-time": v.pipe(v.number(), v.finite()),
  "calc-time": count,
  mode: v.string(),
  "dirty-rate": v.exactOptional(v.pipe(v.number(), v.finite())),
});

/** Rate at which the guest dirties its memory, by QEMU's last measurement. */
export type DirtyRate = v.InferOutput<typeof dirtyRate>;

/** Parses the answer of query-dirty-rate. Throws "failed". */
export function parseDirtyRate(answer: unknown): DirtyRate {
  return parseAnswer(dirtyRate, answer, "query-dirty-rate");
}
