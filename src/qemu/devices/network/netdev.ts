import { isVirtio } from "../../../domain/devices/is-virtio.ts";
import type { InterfaceOf, NetworkInterface } from "../../../domain/devices/network/interface.ts";
import { REPORT_FAULT, SvirtError } from "../../../errors.ts";
import { type Arguments, jsonArguments, keyValues } from "../../argument/argument.ts";
import { reconnectMs } from "../../argument/reconnect-ms.ts";
import { cardSocket, type Launch, type LaunchTap } from "../../launch.ts";
import type { Guest } from "../../model/guest.ts";
import { countFdsets } from "../chardev/fdset-count.ts";

/** First descriptors of taps and of vhost-net; placeholders before a start. */
const [FIRST_TAP, FIRST_VHOST] = [3, 44];

type Backed = Exclude<NetworkInterface, { readonly type: "hostdev" }>;

/**
 * -netdev, after the objects it refers to. qemuBuildHostNetProps() and qemuBuildInterfaceCommandLine() of
 * libvirt
 */
export function formatNetdev(
  guest: Guest,
  found: Backed,
  { id, launch }: { readonly id: string; readonly launch: Launch | undefined },
): Arguments {
  const netdev = (keys: object): Arguments => jsonArguments("-netdev", { ...keys, id: netdevId(id) });
  switch (found.type) {
    case "network":
    case "bridge":
    case "ethernet":
    case "direct":
      return netdev(tapKeys(found, queuesOf(found, { id: netdevId(id), launch })));
    case "client":
      return netdev({ type: "socket", connect: `${found.source.address}:${found.source.port}` });
    case "server":
      return netdev({ type: "socket", listen: `${found.source.address ?? ""}:${found.source.port}` });
    case "mcast":
      return netdev({ type: "socket", mcast: `${found.source.address}:${found.source.port}` });
    case "udp": {
      const { address, port, local } = found.source;
      return netdev({
        type: "socket",
        udp: `${address}:${port}`,
        localaddr: `${local.address}:${local.port}`,
      });
    }
    case "user":
      return netdev(userKeys(guest, found, id));
    case "vhostuser":
      return [
        ...vhostUserSocket(guest, found, { id, launch }),
        ...netdev({ type: "vhost-user", chardev: `char${id}`, queues: severalQueues(found) }),
      ];
    case "vdpa": {
      const set = countFdsets(guest, found);
      return [
        "-add-fd",
        `set=${set},fd=${set + FIRST_TAP},opaque=${id}-vdpa`,
        ...netdev({ type: "vhost-vdpa", vhostdev: `/dev/fdset/${set}`, queues: severalQueues(found) }),
      ];
    }
  }
}

function severalQueues({ driver }: Backed): number | undefined {
  return (driver?.queues ?? 1) > 1 ? driver?.queues : undefined;
}

/** Returns the id of an interface's netdev, by the id of its device. */
export function netdevId(device: string): string {
  return `host${device}`;
}

/** Counts an interface's queues, and the queues that vhost-net may serve. */
export function countQueues(found: NetworkInterface): { readonly queues: number; readonly vhosts: number } {
  const { driver } = found.type === "hostdev" ? { driver: undefined } : found;
  const queues = driver?.queues ?? 1;
  return { queues, vhosts: isVirtio(found) && driver?.name !== "qemu" ? queues : 0 };
}

type Tapped = InterfaceOf<"network" | "bridge" | "ethernet" | "direct">;

/** Each queue has a tap descriptor and, with vhost-net, a vhost descriptor. */
function tapKeys(found: Tapped, { queues, vhosts }: Pick<LaunchTap, "queues" | "vhosts">): object {
  const several = queues.length > 1 ? "s" : "";
  return {
    type: "tap",
    [`fd${several}`]: queues.join(":"),
    ...(vhosts.length > 0 ? { vhost: true, [`vhostfd${several}`]: vhosts.join(":") } : {}),
    sndbuf: found.tune?.sndbuf?.bytes,
  };
}

function queuesOf(
  found: Tapped,
  { id, launch }: { readonly id: string; readonly launch: Launch | undefined },
): Pick<LaunchTap, "queues" | "vhosts"> {
  const { queues, vhosts } = countQueues(found);
  if (launch === undefined)
    return { queues: listNumbers(FIRST_TAP, queues), vhosts: listNumbers(FIRST_VHOST, vhosts) };
  const tap = launch.taps?.find(({ netdev }) => netdev === id);
  if (tap !== undefined) return tap;
  throw new SvirtError(`Cannot add ${id} to QEMU: its tap is missing`, {
    kind: "failed",
    remedy: REPORT_FAULT,
  });
}

function listNumbers(first: number, count: number): string[] {
  return [...Array(count).keys()].map((at) => String(first + at));
}

/** Keys of QEMU's user network, or of a socket to passt. */
function userKeys(guest: Guest, { backend, ips }: InterfaceOf<"user">, id: string): object {
  if (backend?.type === "passt") {
    const addr = { type: "unix", path: passtSocket(guest, id) };
    return { type: "stream", addr, server: false, "reconnect-ms": PASST_RECONNECT_MS };
  }
  const keys = ips.map(({ address, prefix }) => {
    if (address.includes(":")) return { "ipv6-prefix": address, "ipv6-prefixlen": prefix || undefined };
    return { net: prefix ? `${address}/${prefix}` : address };
  });
  return Object.assign({ type: "user" }, ...keys);
}

/** Interval of reconnection. QEMU_PASST_RECONNECT of libvirt */
const PASST_RECONNECT_MS = 5000;

function passtSocket({ domain }: Guest, id: string): string {
  return `/var/run/libvirt/qemu/passt/-1-${domain.name}-${id}.socket`;
}

function vhostUserSocket(
  guest: Guest,
  found: InterfaceOf<"vhostuser">,
  { id, launch }: { readonly id: string; readonly launch: Launch | undefined },
): Arguments {
  const { backend, source } = found;
  const isPasst = backend?.type === "passt";
  const own = launch && cardSocket(launch.folder, guest.devices.interfaces.indexOf(found));
  const words = keyValues([
    ["id", `char${id}`],
    ["path", isPasst ? passtSocket(guest, id) : (own ?? source?.path)],
    ["server", source?.mode === "server" ? "on" : undefined],
    ["reconnect-ms", isPasst ? PASST_RECONNECT_MS : reconnectMs(source?.reconnect)],
  ]);
  return ["-chardev", `socket,${words}`];
}
