import { parseDomainText } from "../../domain/document.ts";
import type { Monitor } from "../../host.ts";
import { completeGuest } from "../../qemu/complete-guest.ts";
import type { FoundDomain } from "../find-domain.ts";
import { withMonitor } from "../guest-monitor.ts";
import type { Node } from "../node.ts";
import { listInterfaces, listIothreads } from "./of-devices.ts";
import { listDisks } from "./of-disks.ts";
import { listBalloon, listDirtyRate } from "./of-memory.ts";
import { listCpuTotal, listMachine, listVcpus } from "./of-processors.ts";
import { listState } from "./of-state.ts";
import type { Entry, Subject } from "./subject.ts";

/** virsh's options for libvirt's groups, in libvirt's order. Of perf and memory svirt has nothing: nobody can ask for events. */
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

/** What libvirt's virConnectGetAllDomainStats tells of one domain, in its order. Throws "timeout", "failed". */
export async function listStatistics(
  node: Node,
  found: FoundDomain,
  wish: { readonly groups: readonly Group[]; readonly backing: boolean },
): Promise<readonly Entry[]> {
  const { definition, guest } = found;
  const domain = parseDomainText(guest?.xml ?? definition?.xml ?? "");
  const subject = { node, found, domain, whole: completeGuest(domain), backing: wish.backing };
  const pid = guest?.process?.pid;
  if (guest === undefined || pid === undefined)
    return await listGroups({ ...subject, running: undefined }, wish);
  return await withMonitor(node, guest.uuid, async (monitor: Monitor) =>
    listGroups({ ...subject, running: { guest, pid, monitor } }, wish),
  );
}

async function listGroups(
  subject: Subject,
  { groups }: { readonly groups: readonly Group[] },
): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  // One after the other: a monitor answers one question at a time.
  for (const group of groups) entries.push(...(await GROUPS[group](subject)));
  return entries;
}
