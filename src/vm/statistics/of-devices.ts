import { parseIothreads } from "../../qemu/small-answers.ts";
import type { Entry, Subject } from "./subject.ts";

/** VIR_DOMAIN_STATS_IOTHREAD */
export async function listIothreads({ running }: Subject): Promise<readonly Entry[]> {
  if (running === undefined) return [];
  const threads = parseIothreads(await running.monitor.execute("query-iothreads"));
  if (threads.length === 0) return [];
  return [
    ["iothread.count", threads.length],
    ...threads.flatMap(({ grow, id, maxNs, shrink }): readonly Entry[] => [
      [`iothread.${id}.poll-max-ns`, maxNs],
      [`iothread.${id}.poll-grow`, grow],
      [`iothread.${id}.poll-shrink`, shrink],
    ]),
  ];
}

/** VIR_DOMAIN_STATS_INTERFACE. User networking has no interface on the host, and so nothing that is counted. */
export async function listInterfaces({ running, whole }: Subject): Promise<readonly Entry[]> {
  return running === undefined ? [] : [["net.count", whole.devices.interfaces.length]];
}
