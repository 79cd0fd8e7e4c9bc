import { readPhysicalVolumes } from "../../../resolve/pools/lvm-reports.ts";
import type { Instance } from "../../../state/instance.ts";
import { formatSources } from "../../../storage/pool/document.ts";
import type { PhysicalVolume } from "../../../storage/pool/logical/reports.ts";
import { discoveryRefusal } from "../../../storage/pool/rules/discovery.ts";

/**
 * Returns the document of the sources that pools of a type may have on this host. Throws "unsupported" for all types but logical.
 * virStorageBackendLogicalFindPoolSources() of libvirt
 */
export function findPoolSources({ host }: Instance, type: string): string {
  if (type !== "logical") throw discoveryRefusal(type);
  // libvirt does not see a physical volume without a group. LVM has a word in brackets for a missing disk, and for damaged metadata.
  const parts = readPhysicalVolumes(host).filter(
    ({ group, path }) => group !== "" && !group.startsWith("[") && path.startsWith("/"),
  );
  const groups = Map.groupBy(parts, ({ group }) => group);
  return formatSources([...groups].map(([name, devices]) => sourceOf(name, devices)));
}

function sourceOf(
  name: string,
  devices: readonly PhysicalVolume[],
): Parameters<typeof formatSources>[0][number] {
  return {
    hosts: [],
    devices: devices.map(({ path }) => ({ path })),
    name,
    format: { type: "lvm2" },
  };
}
