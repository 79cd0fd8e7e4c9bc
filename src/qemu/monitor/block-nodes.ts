import * as v from "valibot";
import { count, parseAnswer } from "./parse-answer.ts";

const blockNodes = v.array(
  v.looseObject({
    "node-name": v.exactOptional(v.string()),
    write_threshold: count,
    image: v.looseObject({ "virtual-size": count, "actual-size": v.exactOptional(count) }),
  }),
);

/** A block node: an image, or the file that contains it. */
export interface BlockNode {
  readonly sizeBytes: number;
  /** Offset above which a write raises an event; 0: none. */
  readonly thresholdBytes: number;
}

/** Parses the answer of query-named-block-nodes, by node name. Throws "failed". */
export function parseBlockNodes(answer: unknown): ReadonlyMap<string, BlockNode> {
  return new Map(
    parseAnswer(blockNodes, answer, "query-named-block-nodes").flatMap((found) => {
      const node = { sizeBytes: found.image["virtual-size"], thresholdBytes: found.write_threshold };
      const name = found["node-name"];
      return name === undefined ? [] : [[name, node] as const];
    }),
  );
}
