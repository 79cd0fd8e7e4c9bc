import type { Monitor } from "../../../host/monitor.ts";
import { type KvmStatistics, parseKvmStatistics } from "../../../qemu/monitor/kvm-statistics.ts";
import { parseVcpuThreads, type VcpuThread } from "../../../qemu/monitor/vcpu-threads.ts";
import { getThread, getTimes } from "../../../run/process/thread-times.ts";
import type { Entry, Subject } from "./subject.ts";

/**
 * VIR_VCPU_RUNNING of virVcpuState: QEMU reports only vCPUs that are plugged in, and not whether one waits.
 */
const RUNNING = 1;

/** Lists the entries of VIR_DOMAIN_STATS_CPU_TOTAL. */
export async function listCpuTotal({ instance, running }: Subject): Promise<readonly Entry[]> {
  const times = running === undefined ? undefined : getTimes(instance.host, running.pid);
  if (running === undefined || times === undefined) return [];
  const counted = [...(await askKvm(running.monitor, "vcpu")).values()].flat();
  const polled = (name: string): readonly Entry[] => {
    const found = counted.filter(([key]) => key === `halt_poll_${name}_ns.sum`);
    const sum = found.reduce((total, [, value]) => total + Number(value), 0);
    return found.length === 0 ? [] : [[`cpu.haltpoll.${name}.time`, sum]];
  };
  return [
    ["cpu.time", times.userNs + times.systemNs],
    ["cpu.user", times.userNs],
    ["cpu.system", times.systemNs],
    ...polled("success"),
    ...polled("fail"),
  ];
}

/** Lists the entries of VIR_DOMAIN_STATS_VCPU. */
export async function listVcpus(subject: Subject): Promise<readonly Entry[]> {
  const { count = 1, current = count } = subject.domain.vcpu ?? {};
  const { running } = subject;
  const totals = (online: number): readonly Entry[] => [
    ["vcpu.current", online],
    ["vcpu.maximum", count],
  ];
  if (running === undefined) return totals(current);
  const threads = parseVcpuThreads(await running.monitor.execute("query-cpus-fast"));
  const counted = await askKvm(running.monitor, "vcpu");
  return [
    ...totals(threads.length),
    ...threads.flatMap((vcpu) => listVcpu(subject, running.pid, { ...vcpu, counted })),
  ];
}

/** Lists the entries of VIR_DOMAIN_STATS_VM. */
export async function listMachine({ running }: Subject): Promise<readonly Entry[]> {
  if (running === undefined) return [];
  const counted = [...(await askKvm(running.monitor, "vm")).values()].flat();
  return counted.map(([name, value]) => [`vm.${name}`, value]);
}

function listVcpu(
  { instance }: Subject,
  pid: number,
  vcpu: VcpuThread & { readonly counted: ReadonlyMap<string, KvmStatistics> },
): readonly Entry[] {
  const thread = getThread(instance.host, pid, vcpu.thread);
  const name = (key: string): string => `vcpu.${vcpu.index}.${key}`;
  return [
    [name("state"), RUNNING],
    ...(thread === undefined
      ? []
      : [[name("time"), thread.userNs + thread.systemNs] as const, [name("wait"), thread.waitNs] as const]),
    ...(thread?.delayNs === undefined ? [] : [[name("delay"), thread.delayNs] as const]),
    ...(vcpu.counted.get(vcpu.path) ?? []).map(([key, value]) => [name(key), value] as const),
  ];
}

async function askKvm(monitor: Monitor, target: "vm" | "vcpu"): Promise<ReadonlyMap<string, KvmStatistics>> {
  const schemas = await monitor.execute("query-stats-schemas");
  return parseKvmStatistics(schemas, await monitor.execute("query-stats", { target }), target);
}
