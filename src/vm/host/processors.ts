import type { IdSet } from "../../domain/forms/id-set.ts";
import { listHostProcessors, listOnlineProcessors } from "../../report/host-processors.ts";
import { getProcessorTimes, type ProcessorTimes } from "../../report/processor-times.ts";
import type { Instance } from "../../state/instance.ts";

/** Processors of the host, by their numbers. */
export interface ProcessorMap {
  readonly present: IdSet;
  readonly online: IdSet;
}

/** Time between two samples, as in virsh. */
const SAMPLE_MS = 1000;
const NAMES = ["user", "system", "idle", "iowait"] as const;

/** Share of each use of the processors in percent, in virsh's order. */
export type ProcessorLoad = readonly (readonly [name: "usage" | (typeof NAMES)[number], percent: number])[];

/** Returns the host's processors. Throws "failed" if the kernel does not list them. */
export function getProcessorMap({ host }: Instance): ProcessorMap {
  return { present: listHostProcessors(host), online: listOnlineProcessors(host) };
}

/** Returns the length of a row with a place for every processor of the host. Throws "failed". */
export function countHostProcessors({ host }: Instance): number {
  return (listHostProcessors(host).at(-1) ?? 0) + 1;
}

/** Returns the times of all processors or of a single processor since the boot. Throws "not-found". */
export function getHostProcessorTimes({ host }: Instance, cpu: number | undefined): ProcessorTimes {
  return getProcessorTimes(host, cpu);
}

/** Measures the load of all processors or of a single processor for a second. Throws "not-found". */
export async function measureProcessorLoad(
  { host }: Instance,
  cpu: number | undefined,
): Promise<ProcessorLoad> {
  const before = getProcessorTimes(host, cpu);
  await host.sleep(SAMPLE_MS);
  return decideLoad(before, getProcessorTimes(host, cpu));
}

function decideLoad(before: ProcessorTimes, after: ProcessorTimes): ProcessorLoad {
  const spent = NAMES.map((name) => [name, after[name] - before[name]] as const);
  const total = spent.reduce((sum, [, ns]) => sum + ns, 0) || 1;
  const percent = (ns: number): number => (100 * ns) / total;
  const used = spent.filter(([name]) => name === "user" || name === "system");
  return [
    ["usage", percent(used.reduce((sum, [, ns]) => sum + ns, 0))],
    ...spent.map(([name, ns]) => [name, percent(ns)] as const),
  ];
}
