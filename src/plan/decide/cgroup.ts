import type { Domain } from "../../domain/domain.ts";
import { formatRange, type IdSet, listRanges } from "../../domain/forms/id-set.ts";
import { listIothreads } from "../../domain/machine/list-iothreads.ts";
import { SvirtError } from "../../errors.ts";
import { countQueues } from "../../qemu/devices/network/netdev.ts";
import type { ControlValue, GuestGroup } from "../facts/limits.ts";
import { limitBlkio, limitCpu, limitMemory, quotaValue } from "./limit-values.ts";

// Rule: A control group limits the resources of each guest.

/** Facts about the host's control groups. cgroups(7) */
export interface GroupFacts {
  /** Mount point; undefined: not mounted, or not writable. */
  readonly root: string | undefined;
  /** Whether only root may create groups there. */
  readonly isRoots?: boolean;
  /** Controllers for the groups below the root. */
  readonly controllers: ReadonlySet<string>;
  /** NUMA nodes of the host. */
  readonly nodes: IdSet;
  /** `MAJOR:MINOR` of a block device; undefined for any other path. */
  deviceNumber(path: string): string | undefined;
  /** Reports whether the group exists. */
  hasGroup(path: string): boolean;
}

/** Element of the XML with a required controller of the host. */
interface Demand {
  readonly place: string;
  readonly controller: string;
}

const OWN_PARTITION = "/svirt";
/** Controllers of every guest, if the host has them. */
const EVERY_GUESTS = ["pids"];
/**
 * QEMU's own threads: main loop, RCU, display, migration; and the pool of each disk's loop. qemu.git
 * util/thread-pool.c
 */
const OWN_THREADS = 512;
const POOL_THREADS = 64;

/**
 * Decides the control group of a guest and its limits; undefined if the host has no groups and the XML
 * requires none. Throws "unsupported" for a limit that the host cannot apply, "not-found" for a missing
 * partition.
 */
export function decideGroup(domain: Domain, uuid: string, facts: GroupFacts): GuestGroup | undefined {
  const demands = listDemands(domain, facts);
  const { root } = facts;
  if (root === undefined) {
    const [first] = demands;
    if (first !== undefined) throw facts.isRoots === true ? onlyRoots(first) : noController(first);
    return undefined;
  }
  const missing = demands.find(({ controller }) => controller !== "" && !facts.controllers.has(controller));
  if (missing !== undefined) throw noController(missing);
  const wanted = new Set([...EVERY_GUESTS, ...demands.map(({ controller }) => controller)]);
  return {
    path: `${root}${partitionOf(domain, root, facts)}/${uuid}`,
    controllers: [...wanted].filter((name) => facts.controllers.has(name)).toSorted(),
    values: [
      ...(facts.controllers.has("pids") ? [{ names: ["pids.max"], value: String(mostThreads(domain)) }] : []),
      ...limitMemory(domain.memtune),
      ...limitBlkio(domain.blkiotune, facts),
      ...limitCpu(domain.cputune),
      ...nodeValues(domain, facts),
    ],
    threads: listThreadGroups(domain),
  };
}

/**
 * Returns the NUMA nodes for QEMU's own memory: all nodes of the guest's memory. qemuSetupCpusetMems() of
 * libvirt
 */
export function listMemoryNodes({ numatune }: Domain): IdSet {
  const { memory, memnodes = [] } = numatune ?? {};
  if (memory?.nodeset === undefined || (memory.mode !== "strict" && memory.mode !== "restrictive")) return [];
  const nodes = new Set([...memory.nodeset, ...memnodes.flatMap(({ nodeset }) => nodeset)]);
  return [...nodes].toSorted((one, other) => one - other);
}

function nodeValues(domain: Domain, facts: GroupFacts): ControlValue[] {
  const nodes = listGroupNodes(domain, facts);
  if (nodes.length === 0) return [];
  return [{ names: ["cpuset.mems"], value: listRanges(nodes).map(formatRange).join(",") }];
}

/**
 * Returns the NUMA nodes of the group; none without a limit. All nodes of the host are no limit where no
 * controller could set it.
 */
function listGroupNodes(domain: Domain, { controllers, nodes }: GroupFacts): IdSet {
  const wanted = listMemoryNodes(domain);
  const isAll = nodes.every((node) => wanted.includes(node));
  return isAll && !controllers.has("cpuset") ? [] : wanted;
}

function listDemands(domain: Domain, facts: GroupFacts): Demand[] {
  const { blkiotune, cputune, memtune, resource } = domain;
  const at = (isAsked: boolean, place: string, controller: string): Demand[] =>
    isAsked ? [{ place: `/domain/${place}`, controller }] : [];
  return [
    ...at(memtune !== undefined, "memtune", "memory"),
    ...at(blkiotune !== undefined, "blkiotune", "io"),
    ...at(limitCpu(cputune).length > 0 || listThreadGroups(domain).length > 0, "cputune", "cpu"),
    ...at(listGroupNodes(domain, facts).length > 0, "numatune/memory", "cpuset"),
    ...at(resource?.partition !== undefined, "resource/partition", ""),
  ];
}

function noController({ controller, place }: Demand): SvirtError {
  const what =
    controller === ""
      ? "no control groups of version 2 at /sys/fs/cgroup"
      : `no controller "${controller}" for its control groups`;
  return new SvirtError(`Cannot apply ${place}: the host has ${what}`, {
    kind: "unsupported",
    remedy:
      controller === ""
        ? "Run: mount -t cgroup2 cgroup2 /sys/fs/cgroup"
        : `Mount cgroup2 at /sys/fs/cgroup, and run: echo +${controller} >/sys/fs/cgroup/cgroup.subtree_control`,
  });
}

function onlyRoots({ place }: Demand): SvirtError {
  return new SvirtError(`Cannot apply ${place}: creating control groups requires root`, {
    kind: "unsupported",
    remedy: "Remove that element, or start the guest as root.",
  });
}

/** Returns the partition named by the XML; undefined: svirt's own. */
export function parentOf({ resource }: Domain): string | undefined {
  return resource?.partition?.replace(/\/+$/, "");
}

function partitionOf(domain: Domain, root: string, facts: GroupFacts): string {
  const partition = parentOf(domain);
  if (partition === undefined) return OWN_PARTITION;
  if (partition !== "" && facts.hasGroup(`${root}${partition}`)) return partition;
  throw new SvirtError(`Cannot put the guest into the partition ${partition}: it does not exist`, {
    kind: "not-found",
    remedy: `Create it: mkdir -p ${root}${partition}`,
  });
}

/**
 * Returns the maximum number of threads, far above QEMU's need. It stops a compromised, forking QEMU. Each
 * vhost-net has a thread counted as QEMU's.
 */
function mostThreads(domain: Domain): number {
  const iothreads = listIothreads(domain);
  const pools = [domain.defaultIothread, ...iothreads].map((loop) =>
    Math.max(POOL_THREADS, loop?.threadPoolMax ?? 0),
  );
  const vhosts = domain.devices.interfaces.map((found) => countQueues(found).vhosts);
  const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);
  return OWN_THREADS + (domain.vcpu?.count ?? 1) + iothreads.length + sum(pools) + sum(vhosts);
}

/** Returns the groups of threads that have limits of their own in the XML. */
function listThreadGroups(domain: Domain): GuestGroup["threads"] {
  const { cputune = undefined, vcpu } = domain;
  if (cputune === undefined) return [];
  const numbers = (count: number): number[] => [...Array(count).keys()];
  const group = (name: string, value: string | undefined): GuestGroup["threads"] =>
    value === undefined ? [] : [{ name, values: [{ names: ["cpu.max"], value }] }];
  const vcpuValue = quotaValue(cputune.quotaUs, cputune.periodUs);
  const iothreadValue = quotaValue(cputune.iothreadQuotaUs, cputune.iothreadPeriodUs);
  return [
    ...group("emulator", quotaValue(cputune.emulatorQuotaUs, cputune.emulatorPeriodUs)),
    ...numbers(vcpu?.count ?? 1).flatMap((number) => group(`vcpu${number}`, vcpuValue)),
    ...listIothreads(domain).flatMap(({ id }) => group(`iothread${id}`, iothreadValue)),
  ];
}
