import type { NetworkInterface } from "../../../domain/devices/network/interface.ts";
import { parseIothreads } from "../../../qemu/monitor/iothreads.ts";
import type { Instance } from "../../../state/instance.ts";
import { readInterfaceStatistics } from "../../guest/guest-interfaces.ts";
import type { Entry, Subject } from "./subject.ts";

/** Lists the entries of VIR_DOMAIN_STATS_IOTHREAD. */
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

/**
 * Lists the entries of VIR_DOMAIN_STATS_INTERFACE. User networking has no interface on the host, and so no
 * counters.
 */
export async function listInterfaces({ instance, running, whole }: Subject): Promise<readonly Entry[]> {
  if (running === undefined) return [];
  const { interfaces } = whole.devices;
  return [
    ["net.count", interfaces.length],
    ...interfaces.flatMap(({ target, type }, number) =>
      target?.dev === undefined || type === "user"
        ? []
        : listInterface(instance, { dev: target.dev, type }, number),
    ),
  ];
}

function listInterface(
  instance: Instance,
  { dev: device, type }: { readonly dev: string; readonly type: NetworkInterface["type"] },
  number: number,
): readonly Entry[] {
  const is = readInterfaceStatistics(instance, device, type);
  const facts = [
    ["name", device],
    ["rx.bytes", is.rxBytes],
    ["rx.pkts", is.rxPackets],
    ["rx.errs", is.rxErrors],
    ["rx.drop", is.rxDropped],
    ["tx.bytes", is.txBytes],
    ["tx.pkts", is.txPackets],
    ["tx.errs", is.txErrors],
    ["tx.drop", is.txDropped],
  ] as const;
  return facts.map(([key, value]) => [`net.${number}.${key}`, value]);
}
