import type { Domain } from "../../domain/domain.ts";
import type { IdSet } from "../../domain/forms/id-set.ts";
import type { Cputune } from "../../domain/machine/cputune.ts";
import { listIothreads } from "../../domain/machine/list-iothreads.ts";
import type { GuestGroup, Scheduler, ThreadSettings } from "../facts/limits.ts";

/**
 * Decides CPUs, scheduler and group of QEMU's threads. Threads without a setting in the XML and without
 * limits of their group are left out. A thread without its own pin runs on the CPUs of `<vcpu cpuset>`.
 */
export function decideThreads(domain: Domain, group: GuestGroup | undefined): ThreadSettings[] {
  const threads: readonly Pick<ThreadSettings, "thread" | "number">[] = [
    { thread: "emulator" },
    ...listVcpus(domain).map((number) => ({ thread: "vcpu" as const, number })),
    ...listIothreads(domain).map(({ id }) => ({ thread: "iothread" as const, number: id })),
  ];
  return threads.flatMap((which) => {
    const cpus = pinOf(domain, which);
    const scheduler = schedulerOf(domain.cputune, which);
    const below = groupOf(group, which);
    if (cpus === undefined && scheduler === undefined && below === undefined) return [];
    return [
      {
        ...which,
        ...(cpus === undefined ? {} : { cpus: [...cpus] }),
        ...(scheduler === undefined ? {} : { scheduler }),
        ...(below === undefined ? {} : { group: below }),
      },
    ];
  });
}

/** Returns the permitted processors of a thread; undefined: all. */
export function pinOf(
  { cputune, vcpu }: Domain,
  { number, thread }: Pick<ThreadSettings, "thread" | "number">,
): IdSet | undefined {
  switch (thread) {
    case "vcpu":
      return cputune?.vcpupins.find((pin) => pin.vcpu === number)?.cpuset ?? vcpu?.cpuset;
    case "iothread":
      return cputune?.iothreadpins.find((pin) => pin.iothread === number)?.cpuset ?? vcpu?.cpuset;
    case "emulator":
      return cputune?.emulatorpin?.cpuset ?? vcpu?.cpuset;
  }
}

/** Returns the numbers of the vCPUs enabled by a start. */
function listVcpus({ vcpu, vcpus }: Domain): number[] {
  const listed = vcpus?.list.filter(({ enabled }) => enabled).map(({ id }) => id);
  return listed ?? [...Array(vcpu?.current ?? vcpu?.count ?? 1).keys()];
}

function schedulerOf(
  cputune: Cputune | undefined,
  { number = -1, thread }: Pick<ThreadSettings, "thread" | "number">,
): Scheduler | undefined {
  const found = {
    vcpu: cputune?.vcpuscheds.find(({ vcpus }) => vcpus.includes(number)),
    iothread: cputune?.iothreadscheds.find(({ iothreads }) => iothreads.includes(number)),
    emulator: cputune?.emulatorsched,
  }[thread];
  return found === undefined ? undefined : { policy: found.scheduler, priority: found.priority ?? 0 };
}

function groupOf(
  group: GuestGroup | undefined,
  { number = "", thread }: Pick<ThreadSettings, "thread"> & { readonly number?: number | string },
): string | undefined {
  const name = `${thread}${number}`;
  return group?.threads.some((one) => one.name === name) ? `${group.path}/${name}` : undefined;
}
