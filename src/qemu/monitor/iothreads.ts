import * as v from "valibot";
import { count, parseAnswer } from "./parse-answer.ts";

const iothreads = v.array(
  v.looseObject({ id: v.string(), "poll-max-ns": count, "poll-grow": count, "poll-shrink": count }),
);

/** Polling parameters of an I/O thread; `id` is libvirt's number. */
export interface IothreadPolling {
  readonly id: number;
  readonly maxNs: number;
  readonly grow: number;
  readonly shrink: number;
}

/** Parses the answer of query-iothreads, limited to libvirt's names such as `iothread1`. Throws "failed". */
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

/** Parses the answer of query-iothreads: the thread id by libvirt's number. Throws "failed". */
export function parseIothreadThreads(answer: unknown): ReadonlyMap<number, number> {
  return new Map(
    parseAnswer(iothreadThreads, answer, "query-iothreads").flatMap((found) => {
      const id = /^iothread(\d+)$/.exec(found.id)?.[1];
      return id === undefined ? [] : [[Number(id), found["thread-id"]] as const];
    }),
  );
}
