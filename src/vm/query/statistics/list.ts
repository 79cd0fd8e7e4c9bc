import { SEE_QEMU_LOG, SvirtError } from "../../../errors.ts";
import { guestPaths } from "../../../plan/paths.ts";
import { completeGuest } from "../../../qemu/complete-guest.ts";
import { withMonitorSocket } from "../../../run/monitor/converse.ts";
import type { Instance } from "../../../state/instance.ts";
import { formOf } from "../../guest/domain-form.ts";
import type { FoundDomain } from "../../guest/find-domain.ts";
import { listInterfaces, listIothreads } from "./devices.ts";
import { listDisks } from "./disks.ts";
import { listBalloon, listDirtyRate } from "./memory.ts";
import { listCpuTotal, listMachine, listVcpus } from "./processors.ts";
import { listState } from "./state.ts";
import type { Entry, Subject } from "./subject.ts";

/**
 * Groups of libvirt's statistics by virsh's options, in libvirt's order. perf and memory are empty: svirt
 * cannot enable their events.
 */
export const GROUPS = {
  state: listState,
  "cpu-total": listCpuTotal,
  balloon: listBalloon,
  vcpu: listVcpus,
  interface: listInterfaces,
  block: listDisks,
  perf: async () => [],
  iothread: listIothreads,
  memory: async () => [],
  dirtyrate: listDirtyRate,
  vm: listMachine,
} as const satisfies Readonly<Record<string, (subject: Subject) => Promise<readonly Entry[]>>>;
export type Group = keyof typeof GROUPS;

/** Longest key of a client. VIR_TYPED_PARAM_FIELD_LENGTH of libvirt, without the NUL */
const MOST_KEY = 79;
/** 1,024 vCPUs have about 50,000 entries. */
const [MOST_ENTRIES, MOST_LETTERS] = [65_536, 2_500_000];
/** Limit for all queries of a guest: some 20, each answered immediately by a healthy QEMU. */
const TIMEOUT_MS = 5000;

/**
 * Lists the statistics of one domain as libvirt's virConnectGetAllDomainStats does, in its order. Throws
 * "timeout", "failed".
 */
export async function listStatistics(
  instance: Instance,
  found: FoundDomain,
  options: { readonly groups: readonly Group[]; readonly backing: boolean },
): Promise<readonly Entry[]> {
  const { guest } = found;
  const domain = formOf(instance, found, "running");
  const subject = { instance, found, domain, whole: completeGuest(domain), backing: options.backing };
  const pid = guest?.process?.pid;
  if (guest === undefined || pid === undefined)
    return await listGroups({ ...subject, running: undefined }, options);
  const at = { monitor: guestPaths(instance.paths, guest.uuid).monitor, timeoutMs: TIMEOUT_MS };
  return await withMonitorSocket(instance.host, at, (monitor) =>
    listGroups({ ...subject, running: { guest, pid, monitor } }, options),
  );
}

async function listGroups(
  subject: Subject,
  { groups }: { readonly groups: readonly Group[] },
): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  // In sequence: a monitor answers one query at a time.
  for (const group of groups) for (const entry of await GROUPS[group](subject)) entries.push(entry);
  refuseImpossible(subject, entries);
  return entries;
}

/**
 * Throws "failed" for entries impossible in QEMU: for such an entry a client refuses the statistics of all
 * guests.
 */
function refuseImpossible({ found: { name } }: Subject, entries: readonly Entry[]): void {
  const isPossible = ([key, value]: Entry): boolean =>
    key.length <= MOST_KEY && (typeof value === "string" || Number.isFinite(value));
  const letters = entries.reduce((sum, [key, value]) => sum + key.length + String(value).length, 0);
  if (entries.every(isPossible) && entries.length <= MOST_ENTRIES && letters <= MOST_LETTERS) return;
  throw new SvirtError(
    `Cannot read the statistics of ${name}: QEMU's answers have impossible keys, numbers or lengths`,
    {
      kind: "failed",
      remedy: SEE_QEMU_LOG,
    },
  );
}
