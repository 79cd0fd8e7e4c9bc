import { cpuSet, type IdSet } from "../../domain/forms/id-set.ts";
import { listIothreads } from "../../domain/machine/list-iothreads.ts";
import { pinOf } from "../../plan/decide/threads.ts";
import { parseIothreadThreads } from "../../qemu/monitor/iothreads.ts";
import { listOnlineProcessors } from "../../report/host-processors.ts";
import { getThread } from "../../run/process/thread-times.ts";
import type { Instance } from "../../state/instance.ts";
import type { Ask } from "../change/change-domain.ts";
import { withMonitor } from "../guest/guest-monitor.ts";
import { findShown } from "./read-limits.ts";

/** An I/O thread, and the processors on which it may run. */
export interface IothreadInfo {
  readonly id: number;
  readonly cpus: IdSet;
}

/**
 * Lists the I/O threads of the running guest or of the definition. Throws as findShown() does, and "timeout".
 */
export async function listIothreadInfo(instance: Instance, ask: Ask): Promise<readonly IothreadInfo[]> {
  const { domain, guest } = findShown(instance, ask);
  if (guest?.process === undefined) {
    const all = listOnlineProcessors(instance.host);
    return listIothreads(domain).map(({ id }) => ({
      id,
      cpus: pinOf(domain, { thread: "iothread", number: id }) ?? all,
    }));
  }
  const { pid } = guest.process;
  const answer = await withMonitor(instance, guest.uuid, (monitor) => monitor.execute("query-iothreads"));
  return [...parseIothreadThreads(answer)].map(([id, thread]) => ({
    id,
    cpus: cpuSet.decode(getThread(instance.host, pid, thread)?.allowed ?? "") ?? [],
  }));
}
