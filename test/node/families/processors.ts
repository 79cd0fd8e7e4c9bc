import { expect } from "bun:test";
import { outOf } from "../harness/notes.ts";
import { answerTo, type Inspected } from "./inspect.ts";
import { allAt } from "./xml-tree.ts";

interface Cpu {
  readonly "cpu-index": number;
  readonly "thread-id": number;
}

/** Expects the number of present and possible processors, and their model. */
export function expectProcessors({ notes, written }: Inspected, model: string): readonly Cpu[] {
  const cpus = answerTo<readonly Cpu[]>(notes, "query-cpus-fast");
  const [vcpu] = allAt(written, "vcpu");
  const slots = answerTo(notes, "query-hotpluggable-cpus");
  expect(slots.length).toBe(Number(vcpu?.text));
  expect(cpus.length).toBe(Number(vcpu?.attributes["current"] ?? vcpu?.text));
  expect(new Set(slots.map(({ type }) => type))).toEqual(new Set([`${model}-x86_64-cpu`]));
  return cpus;
}

/** Expects each thread of `<cputune>` pinned to exactly its processors, as the kernel shows it. */
export function expectPins({ notes, written }: Inspected, cpus: readonly Cpu[]): void {
  const allowed = new Map(
    outOf(notes, "threads")
      .split("\n")
      .map((line) => line.split(" ") as [string, string]),
  );
  const of = (thread: number | undefined): string | undefined => allowed.get(String(thread));
  const iothreads = answerTo<readonly { readonly id: string; readonly "thread-id": number }[]>(
    notes,
    "query-iothreads",
  );
  for (const { attributes } of allAt(written, "cputune", "vcpupin")) {
    const cpu = cpus.find((one) => one["cpu-index"] === Number(attributes["vcpu"]));
    expect(["vcpu", attributes["vcpu"], of(cpu?.["thread-id"])]).toEqual([
      "vcpu",
      attributes["vcpu"],
      attributes["cpuset"],
    ]);
  }
  for (const { attributes } of allAt(written, "cputune", "iothreadpin")) {
    const thread = iothreads.find(({ id }) => id === `iothread${attributes["iothread"]}`);
    expect(["iothread", of(thread?.["thread-id"])]).toEqual(["iothread", attributes["cpuset"]]);
  }
  for (const { attributes } of allAt(written, "cputune", "emulatorpin"))
    expect(["emulator", of(Number(outOf(notes, "pid")))]).toEqual(["emulator", attributes["cpuset"]]);
}
