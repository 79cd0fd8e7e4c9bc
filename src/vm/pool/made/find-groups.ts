import type { Host } from "../../../host/host.ts";
import { readPhysicalVolumes } from "../../../resolve/pools/lvm-reports.ts";
import { formatGroupSources } from "../../../storage/pool/found-sources.ts";

/**
 * Returns the XML of the volume groups of the host, with their devices.
 * virStorageBackendLogicalFindPoolSources() of libvirt
 */
export async function findGroups(host: Host): Promise<string> {
  // libvirt does not see a physical volume without a group. LVM has a word in brackets for a missing disk,
  // and for damaged metadata.
  const parts = (await readPhysicalVolumes(host)).filter(
    ({ group, path }) => group !== "" && !group.startsWith("[") && path.startsWith("/"),
  );
  return formatGroupSources(parts);
}
