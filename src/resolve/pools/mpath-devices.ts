import type { Host } from "../../host/host.ts";
import { nodeAt, type PoolDevice } from "./pool-device.ts";

const BLOCK_DEVICES = "/sys/class/block";
const MAPPED = /^dm-\d+$/;
/** Start of the UUIDs that multipathd gives its maps. multipath-tools, libmultipath/devmapper.h UUID_PREFIX */
const UUID_START = "mpath-";

/** Lists the multipath devices that have a node in /dev/mapper. virStorageBackendMpathRefreshPool() of libvirt */
export function listMultipathDevices(host: Host): readonly PoolDevice[] {
  return host.listFolder(BLOCK_DEVICES).flatMap((name) => {
    const folder = `${BLOCK_DEVICES}/${name}`;
    if (!MAPPED.test(name) || !host.readText(`${folder}/dm/uuid`)?.startsWith(UUID_START)) return [];
    const map = host.readText(`${folder}/dm/name`)?.trim() ?? "";
    if (map === "" || map.includes("/")) return [];
    const path = `/dev/mapper/${map}`;
    const facts = nodeAt(host, path, folder);
    return facts === undefined ? [] : [{ name, key: path, path, facts }];
  });
}
