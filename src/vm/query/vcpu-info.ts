import { cpuSet, type IdSet } from "../../domain/forms/id-set.ts";
import { parseVcpuThreads } from "../../qemu/monitor/vcpu-threads.ts";
import { listHostProcessors } from "../../report/host-processors.ts";
import { getThread } from "../../run/process/thread-times.ts";
import type { Instance } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";
import { type FoundDomain, findDomain } from "../guest/find-domain.ts";
import { withMonitor } from "../guest/guest-monitor.ts";
import { domainOf } from "./guest-statistics.ts";

/** A virtual CPU, and the processor on which the host runs it. */
export interface VcpuInfo {
  readonly number: number;
  /** Undefined for a domain that is off. */
  readonly running: { readonly processor: number; readonly cpuNs: number } | undefined;
  /** The processors that it may run on. */
  readonly affinity: IdSet;
}

/** Lists the virtual CPUs of a domain that are plugged in. Throws "not-found", "timeout". */
export async function listVcpuInfo(instance: Instance, key: string): Promise<readonly VcpuInfo[]> {
  const found = findDomain(instance, key);
  const { guest } = found;
  if (guest?.process === undefined) return listOff(instance, found);
  const { pid } = guest.process;
  const answer = await withMonitor(instance, guest.uuid, (monitor) => monitor.execute("query-cpus-fast"));
  return parseVcpuThreads(answer).map(({ index, thread }) => {
    const is = getThread(instance.host, pid, thread);
    return {
      number: index,
      running: is === undefined ? undefined : { processor: is.processor, cpuNs: is.userNs + is.systemNs },
      affinity: cpuSet.decode(is?.allowed ?? "") ?? [],
    };
  });
}

/** Returns how many virtual CPUs a running guest has now. Throws "timeout". */
export async function countVcpus(instance: Instance, guest: GuestRecord): Promise<number> {
  const answer = await withMonitor(instance, guest.uuid, (monitor) => monitor.execute("query-cpus-fast"));
  return parseVcpuThreads(answer).length;
}

function listOff(instance: Instance, { definition }: FoundDomain): readonly VcpuInfo[] {
  const domain = domainOf({ xml: definition?.xml ?? "" });
  const { count = 1, current = count, cpuset } = domain.vcpu ?? {};
  const pins = new Map((domain.cputune?.vcpupins ?? []).map((pin) => [pin.vcpu, pin.cpuset]));
  const all = listHostProcessors(instance.host);
  return Array.from({ length: current }, (_, number) => ({
    number,
    running: undefined,
    affinity: pins.get(number) ?? cpuset ?? all,
  }));
}
