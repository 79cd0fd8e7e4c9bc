import type { Host } from "../../host/host.ts";
import { nodeAt, type PoolDevice, unlessGone } from "./pool-device.ts";

const BLOCK_DEVICES = "/sys/class/block";
const MAPPED = /^dm-\d+$/;
/** Start of the UUIDs of multipathd's maps. multipath-tools, libmultipath/devmapper.h UUID_PREFIX */
const UUID_START = "mpath-";

/** Lists the multipath devices with a node in /dev/mapper. virStorageBackendMpathRefreshPool() of libvirt */
export function listMultipathDevices(host: Host): readonly PoolDevice[] {
  return host.listFolder(BLOCK_DEVICES).flatMap((name) => {
    if (!MAPPED.test(name)) return [];
    const device = unlessGone(host, `${BLOCK_DEVICES}/${name}`, () => mapOf(host, name));
    return device === undefined ? [] : [device];
  });
}

function mapOf(host: Host, name: string): PoolDevice | undefined {
  const folder = `${BLOCK_DEVICES}/${name}`;
  if (host.readText(`${folder}/dm/uuid`)?.startsWith(UUID_START) !== true) return undefined;
  const map = host.readText(`${folder}/dm/name`)?.trim() ?? "";
  if (map === "" || map.includes("/")) return undefined;
  const path = `/dev/mapper/${map}`;
  const facts = nodeAt(host, path, folder);
  return facts === undefined ? undefined : { name, key: path, path, facts };
}
