import type { Disk } from "../devices/disk/disk.ts";
import { isReadOnly } from "../devices/disk/facts.ts";
import type { Rng } from "../devices/rng.ts";
import type { Devices } from "../devices.ts";
import { type DeviceOf, ELEMENTS, FAMILIES, type Family, listFamily, type NoEntry } from "../families.ts";
import type { SourceSeclabel } from "../forms/source-seclabel.ts";
import { listPorts, type Port } from "../ports.ts";
import { overrideOf } from "./disk.ts";
import type { PeerSocket } from "./resource.ts";

type Found = Pick<PeerSocket, "path"> & Partial<Pick<PeerSocket, "sharing" | "override">>;

/** Peer socket of a device of each family. "none": no program serves a device of the family. */
const PEERS: { readonly [F in Family]: ((device: DeviceOf<F>) => Found | undefined) | NoEntry } = {
  disks: ofDisk,
  controllers: "none",
  leases: "none",
  filesystems: ({ source }) => (source.socket === undefined ? undefined : { path: source.socket }),
  // An interface of vhost-user is refused, or the other program connects to the guest.
  interfaces: "none",
  smartcards: "none",
  serials: ofPort,
  parallels: ofPort,
  consoles: ofPort,
  channels: ofPort,
  inputs: "none",
  tpms: ({ backend }) => (backend.type === "external" ? { path: backend.source.path } : undefined),
  graphics: "none",
  sounds: "none",
  audios: "none",
  videos: "none",
  hostdevs: "none",
  redirdevs: "none",
  redirfilter: "none",
  hubs: "none",
  watchdogs: "none",
  memballoon: "none",
  rngs: ofRng,
  panics: "none",
  // A shared memory device with a server is refused: unopened-paths.ts.
  shmems: "none",
  iommu: "none",
  vsock: "none",
  cryptos: "none",
  pstore: "none",
  memories: "none",
};

/** Lists every peer socket, in the order of the device families. */
export function listPeerSockets(devices: Devices): readonly PeerSocket[] {
  return FAMILIES.flatMap((family) => {
    if (family === FIRST_PORTS) return listOfPorts(devices);
    return PORTS.has(family) ? [] : located(family, listFamily(devices, family));
  });
}

/** Returns the peer socket of a device, with the place of the first device of its family. */
export function peerSocketOf<F extends Family>(family: F, device: DeviceOf<F>): PeerSocket | undefined {
  return located(family, [device])[0];
}

/** Families listed together by ports.ts, at the place of the first. */
const FIRST_PORTS = "serials";
const PORTS: ReadonlySet<Family> = new Set<Family>(["serials", "parallels", "consoles", "channels"]);

function ofRng({ backend }: Rng): Found | undefined {
  if (backend.model !== "egd" || backend.type !== "unix") return undefined;
  return ofSource(backend.source, { sharing: "shared" });
}

/** Returns the socket of a disk that another program serves, by vhost-user or NBD. */
function ofDisk(disk: Disk): Found | undefined {
  switch (disk.type) {
    case "vhostuser":
      return { path: disk.source.path };
    case "network": {
      const [host] = disk.source?.protocol === "nbd" ? disk.source.hosts : [];
      if (host?.transport !== "unix") return undefined;
      // A client of the server may request any of its exports.
      const sharing = disk.shareable || isReadOnly(disk) ? "shared" : "exclusive";
      return { path: host.socket, sharing };
    }
    default:
      return undefined;
  }
}

function listOfPorts(devices: Devices): PeerSocket[] {
  const counts = new Map<string, number>();
  return listPorts(devices).flatMap(({ chardev, device }) => {
    const index = counts.get(device) ?? 0;
    counts.set(device, index + 1);
    const found = ofPort(chardev);
    return found === undefined ? [] : [peerAt(placeOf(device, index), found)];
  });
}

function ofPort(chardev: Port["chardev"]): Found | undefined {
  return chardev.type === "unix" && chardev.source !== undefined ? ofSource(chardev.source) : undefined;
}

interface SocketSource {
  readonly mode?: "bind" | "connect" | undefined;
  readonly path?: string | undefined;
  readonly seclabels?: readonly SourceSeclabel[];
}

function ofSource(
  { mode, path, seclabels = [] }: SocketSource,
  more: Partial<Found> = {},
): Found | undefined {
  return mode === "connect" && path !== undefined
    ? { path, override: overrideOf(seclabels), ...more }
    : undefined;
}

function located<F extends Family>(family: F, devices: readonly DeviceOf<F>[]): PeerSocket[] {
  const find = PEERS[family] as ((device: DeviceOf<F>) => Found | undefined) | NoEntry;
  if (typeof find === "string") return [];
  return devices.flatMap((device, index) => {
    const found = find(device);
    return found === undefined ? [] : [peerAt(placeOf(ELEMENTS[family], index), found)];
  });
}

function peerAt(place: string, { override, path, sharing = "exclusive" }: Found): PeerSocket {
  return { kind: "peer-socket", place, path, sharing, override };
}

function placeOf(element: string, index: number): string {
  return `/domain/devices/${element}[${index + 1}]`;
}
