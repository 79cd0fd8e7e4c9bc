import { SvirtError } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import type { Monitor } from "../../host/monitor.ts";
import { nameThread } from "../../plan/facts/describe-limits.ts";
import type { ThreadSettings } from "../../plan/facts/limits.ts";
import type { StepOf } from "../../plan/steps/step.ts";
import { parseIothreadThreads } from "../../qemu/monitor/iothreads.ts";
import { parseVcpuThreads } from "../../qemu/monitor/vcpu-threads.ts";
import { withMonitorSocket } from "../monitor/converse.ts";
import { MONITOR_TIMEOUT_MS } from "../monitor/qmp-time-limits.ts";
import { type GuestIdentity, listGuestProcesses } from "../process/kill-guest.ts";

/** IDs of QEMU's threads, each once. */
interface Threads {
  readonly vcpus: ReadonlyMap<number, number>;
  readonly iothreads: ReadonlyMap<number, number>;
  readonly emulator: readonly number[];
}

/**
 * Sets CPUs, scheduler and group of QEMU's threads. QEMU, possibly compromised, reports their IDs. Only
 * threads in the guest's own process, as the kernel shows it, are changed. Throws "failed", "host-call".
 */
export async function tuneThreads(
  host: Host,
  guest: GuestIdentity,
  { monitor, settings }: StepOf<"tune-threads">,
): Promise<void> {
  const told = await withMonitorSocket(host, { monitor, timeoutMs: MONITOR_TIMEOUT_MS }, askThreads);
  const threads = sortThreads(listThreads(host, guest), told);
  for (const options of settings)
    for (const thread of threadsOf(threads, options)) tune(host, thread, options);
}

async function askThreads(monitor: Monitor): Promise<Omit<Threads, "emulator">> {
  const cpus = parseVcpuThreads(await monitor.execute("query-cpus-fast"));
  const iothreads = parseIothreadThreads(await monitor.execute("query-iothreads"));
  return { vcpus: new Map(cpus.map(({ index, thread }) => [index, thread])), iothreads };
}

function listThreads(host: Host, guest: GuestIdentity): ReadonlySet<number> {
  const ids = listGuestProcesses(host, guest).flatMap(({ pid }) => host.listFolder(`/proc/${pid}/task`));
  return new Set(ids.map(Number));
}

function sortThreads(all: ReadonlySet<number>, told: Omit<Threads, "emulator">): Threads {
  const stranger = [...told.vcpus.values(), ...told.iothreads.values()].find((thread) => !all.has(thread));
  if (stranger !== undefined) {
    throw new SvirtError(
      `Cannot tune the guest's threads: QEMU reports ${stranger}, which is not a thread of the guest`,
      {
        kind: "failed",
        remedy: "End that guest, which may be compromised; svirt audit shows more.",
      },
    );
  }
  const named = new Set([...told.vcpus.values(), ...told.iothreads.values()]);
  return { ...told, emulator: [...all].filter((thread) => !named.has(thread)) };
}

function threadsOf(threads: Threads, options: ThreadSettings): readonly number[] {
  if (options.thread === "emulator") return threads.emulator;
  const table = options.thread === "vcpu" ? threads.vcpus : threads.iothreads;
  const found = table.get(options.number ?? -1);
  if (found !== undefined) return [found];
  throw new SvirtError(`Cannot tune ${nameThread(options)}: QEMU does not have that thread`, {
    kind: "failed",
    remedy: "Give the number of an existing thread: svirt vcpuinfo DOMAIN",
  });
}

/** The group comes first, because its limits are wider. */
function tune(host: Host, thread: number, { cpus, group, scheduler }: ThreadSettings): void {
  if (group !== undefined) host.moveThread(thread, group);
  if (cpus !== undefined) host.setAffinity(thread, cpus);
  if (scheduler !== undefined) host.setScheduler(thread, scheduler);
}
