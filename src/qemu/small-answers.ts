import * as v from "valibot";
import { count, parseAnswer } from "./answer.ts";

const iothreads = v.array(
  v.looseObject({ id: v.string(), "poll-max-ns": count, "poll-grow": count, "poll-shrink": count }),
);

/** How a thread for input and output waits; `id` is libvirt's number of it. */
export interface IothreadPolling {
  readonly id: number;
  readonly maxNs: number;
  readonly grow: number;
  readonly shrink: number;
}

/** From the answer of query-iothreads: those with libvirt's names, `iothread1`. Throws "failed". */
export function parseIothreads(answer: unknown): readonly IothreadPolling[] {
  return parseAnswer(iothreads, answer, "query-iothreads")
    .flatMap((found) => {
      const id = /^iothread(\d+)$/.exec(found.id)?.[1];
      const polling = { maxNs: found["poll-max-ns"], grow: found["poll-grow"], shrink: found["poll-shrink"] };
      return id === undefined ? [] : [{ id: Number(id), ...polling }];
    })
    .toSorted((a, b) => a.id - b.id);
}

const iothreadThreads = v.array(v.looseObject({ id: v.string(), "thread-id": count }));

/** From the answer of query-iothreads: the thread of each, by libvirt's number of it. Throws "failed". */
export function parseIothreadThreads(answer: unknown): ReadonlyMap<number, number> {
  return new Map(
    parseAnswer(iothreadThreads, answer, "query-iothreads").flatMap((found) => {
      const id = /^iothread(\d+)$/.exec(found.id)?.[1];
      return id === undefined ? [] : [[Number(id), found["thread-id"]] as const];
    }),
  );
}

const blockNodes = v.array(
  v.looseObject({
    "node-name": v.exactOptional(v.string()),
    write_threshold: count,
    image: v.looseObject({ "virtual-size": count, "actual-size": v.exactOptional(count) }),
  }),
);

/** An image, or the file that it lies in. */
export interface BlockNode {
  readonly sizeBytes: number;
  /** Where writing is told of; 0: nowhere. */
  readonly thresholdBytes: number;
}

/** From the answer of query-named-block-nodes, by name. Throws "failed". */
export function parseBlockNodes(answer: unknown): ReadonlyMap<string, BlockNode> {
  return new Map(
    parseAnswer(blockNodes, answer, "query-named-block-nodes").flatMap((found) => {
      const node = { sizeBytes: found.image["virtual-size"], thresholdBytes: found.write_threshold };
      const name = found["node-name"];
      return name === undefined ? [] : [[name, node] as const];
    }),
  );
}

const dirtyRate = v.looseObject({
  status: v.picklist(["unstarted", "measuring", "measured"]),
  "start-time": v.number(),
  "calc-time": count,
  mode: v.string(),
  "dirty-rate": v.exactOptional(v.number()),
});

/** How fast a guest changes its memory, by QEMU's last measurement. */
export type DirtyRate = v.InferOutput<typeof dirtyRate>;

/** From the answer of query-dirty-rate. Throws "failed". */
export function parseDirtyRate(answer: unknown): DirtyRate {
  return parseAnswer(dirtyRate, answer, "query-dirty-rate");
}
