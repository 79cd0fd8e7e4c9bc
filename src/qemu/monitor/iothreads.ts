import * as v from "valibot";
import type { Iothread } from "../../domain/forms/iothreads.ts";
import { count, parseAnswer } from "./parse-answer.ts";
import type { QmpCommand } from "./qmp.ts";

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

/** Properties of an I/O thread with QEMU's defaults. qemu.git iothread.c, util/thread-pool.c */
const PROPERTIES: readonly (readonly [name: string, of: (thread: Iothread) => number])[] = [
  ["poll-max-ns", ({ poll }) => poll?.max ?? 32_768],
  ["poll-grow", ({ poll }) => poll?.grow ?? 0],
  ["poll-shrink", ({ poll }) => poll?.shrink ?? 0],
];
const [POOL_MIN, POOL_MAX] = [0, 64];

/**
 * Returns the commands for a change of a thread's properties, each with the command for its former value. The
 * pool's greatest size comes first if it grows: QEMU refuses a lowest size above it.
 * qemuDomainHotplugModIOThread() of libvirt
 */
export function setIothreadCommands(
  was: Iothread,
  is: Iothread,
): readonly { readonly command: QmpCommand; readonly before: QmpCommand }[] {
  const most = ({ threadPoolMax = POOL_MAX }: Iothread): number => threadPoolMax;
  const least = ({ threadPoolMin = POOL_MIN }: Iothread): number => threadPoolMin;
  const sizes = [["thread-pool-min", least] as const, ["thread-pool-max", most] as const];
  return [...PROPERTIES, ...(most(is) > most(was) ? sizes.toReversed() : sizes)].flatMap(([property, of]) => {
    const set = (value: number): QmpCommand => ({
      execute: "qom-set",
      arguments: { path: `/objects/iothread${is.id}`, property, value },
    });
    return of(was) === of(is) ? [] : [{ command: set(of(is)), before: set(of(was)) }];
  });
}
