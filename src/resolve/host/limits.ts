import type { Domain } from "../../domain/domain.ts";
import { cpuSet, type IdSet } from "../../domain/forms/id-set.ts";
import { SvirtError } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import { decideGroup, type GroupFacts, listMemoryNodes, parentOf } from "../../plan/decide/cgroup.ts";
import { decideThreads } from "../../plan/decide/threads.ts";
import { nameThread } from "../../plan/facts/describe-limits.ts";
import type { GuestGroup, ThreadSettings } from "../../plan/facts/limits.ts";
import { readControlGroups, readControllers } from "../../report/control-groups.ts";
import { listOnlineProcessors } from "../../report/host-processors.ts";
import { type Instance, isSession } from "../../state/instance.ts";

/** Resources of the host for a guest: its control group, and the CPUs of its threads. */
export interface DecidedLimits {
  readonly group: GuestGroup | undefined;
  readonly settings: readonly ThreadSettings[];
}

/**
 * Decides the limits of a guest. Throws "unsupported" or "not-found" for a missing controller, processor or
 * NUMA node.
 */
export function decideLimits(instance: Instance, domain: Domain): DecidedLimits {
  const group = decideGroup(domain, domain.uuid, groupFacts(instance, domain));
  const settings = decideThreads(domain, group);
  refuseMissingCpus(instance, settings);
  refuseMissingNodes(instance, domain);
  return { group, settings };
}

function groupFacts(instance: Instance, domain: Domain): GroupFacts {
  const { host } = instance;
  const groups = readControlGroups(host);
  const partition = parentOf(domain);
  // svirt's own group may not exist yet: it gets the controllers that the root passes on.
  const controllers =
    partition === undefined || groups === undefined
      ? groups?.controllers
      : readControllers(host, `${groups.root}${partition}/cgroup.controllers`);
  return {
    root: groups?.root,
    isRoots: isSession(instance),
    controllers: controllers ?? new Set(),
    nodes: listOnlineNodes(host),
    deviceNumber(path) {
      const found = host.inspectFile(path);
      return found?.type === "block" ? found.id.node : undefined;
    },
    hasGroup: (path) => host.readText(`${path}/cgroup.controllers`) !== undefined,
  };
}

function refuseMissingCpus(instance: Instance, settings: readonly ThreadSettings[]): void {
  if (settings.every(({ cpus }) => cpus === undefined)) return;
  const online = new Set(listOnlineProcessors(instance.host));
  const without = settings.find(({ cpus }) => cpus !== undefined && !cpus.some((cpu) => online.has(cpu)));
  if (without === undefined) return;
  throw new SvirtError(
    `Cannot pin ${nameThread(without)} to CPUs ${cpuSet.encode(without.cpus ?? [])}: none of them is online`,
    { kind: "unsupported", remedy: `Choose from ${cpuSet.encode([...online])}.` },
  );
}

function refuseMissingNodes({ host }: Instance, domain: Domain): void {
  const { memory, memnodes = [] } = domain.numatune ?? {};
  const online = listOnlineNodes(host);
  const wanted = [...(memory?.nodeset ?? []), ...memnodes.flatMap(({ nodeset }) => nodeset)];
  const missing = [...wanted, ...listMemoryNodes(domain)].find((id) => !online.includes(id));
  if (missing === undefined) return;
  throw new SvirtError(`unsupported configuration: NUMA node ${missing} is unavailable`, {
    kind: "unsupported",
    remedy: `Choose from ${cpuSet.encode(online)}.`,
  });
}

function listOnlineNodes(host: Host): IdSet {
  const text = host.readText("/sys/devices/system/node/online") ?? "0";
  return cpuSet.decode(text.trim()) ?? [0];
}
