import type { Host } from "../../../host/host.ts";
import { readPhysicalVolumes } from "../../../resolve/pools/lvm-reports.ts";
import { formatGroupSources } from "../../../storage/pool/found-sources.ts";

/** Returns the XML of the volume groups of the host, with their devices. virStorageBackendLogicalFindPoolSources() of libvirt */
export function findGroups(host: Host): string {
  // libvirt does not see a physical volume without a group.
  return formatGroupSources(readPhysicalVolumes(host).filter(({ group }) => group !== ""));
}
