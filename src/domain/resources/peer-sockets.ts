import type { Device } from "../device.ts";
import type { Disk } from "../devices/disk/disk.ts";
import { isReadOnly } from "../devices/disk/facts.ts";
import type { Rng } from "../devices/rng.ts";
import type { Devices } from "../devices.ts";
import type { SourceSeclabel } from "../forms/source-seclabel.ts";
import { listPorts, type Port } from "../ports.ts";
import { overrideOf } from "./disk.ts";
import type { PeerSocket } from "./resource.ts";

type Found = Pick<PeerSocket, "path"> & Partial<Pick<PeerSocket, "sharing" | "override">>;

/** Lists every peer socket, in the order of the device families. */
export function listPeerSockets(devices: Devices): readonly PeerSocket[] {
  return [
    ...located("disk", devices.disks, ofDisk),
    ...located("filesystem", devices.filesystems, ({ source }) =>
      source.socket === undefined ? undefined : { path: source.socket },
    ),
    ...listOfPorts(devices),
    ...located("tpm", devices.tpms, ({ backend }) =>
      backend.type === "external" ? { path: backend.source.path } : undefined,
    ),
    // An entropy daemon serves every client.
    ...located("rng", devices.rngs, ofRng),
  ];
}

/** Returns the peer socket of a device that can be attached, with the place of the first device of its family. */
export function peerSocketOf({ element, value }: Device): PeerSocket | undefined {
  switch (element) {
    case "disk":
      return located(element, [value], ofDisk)[0];
    case "rng":
      return located(element, [value], ofRng)[0];
    case "channel":
      return located(element, [value], ofPort)[0];
    case "interface":
    case "hostdev":
      return undefined;
  }
}

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

function located<D>(
  element: string,
  devices: readonly D[],
  find: (device: D) => Found | undefined,
): PeerSocket[] {
  return devices.flatMap((device, index) => {
    const found = find(device);
    return found === undefined ? [] : [peerAt(placeOf(element, index), found)];
  });
}

function peerAt(place: string, { override, path, sharing = "exclusive" }: Found): PeerSocket {
  return { kind: "peer-socket", place, path, sharing, override };
}

function placeOf(element: string, index: number): string {
  return `/domain/devices/${element}[${index + 1}]`;
}
