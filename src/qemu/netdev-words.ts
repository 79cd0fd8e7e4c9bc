import { type InterfaceOf, isVirtio, type NetworkInterface } from "../domain/network-interface.ts";
import { countFdsets } from "./fdset-count.ts";
import type { Guest } from "./guest.ts";

import { reconnectMs } from "./reconnect-ms.ts";
import { jsonWords, keyValues, type Words } from "./words.ts";

/** The numbers that descriptors of taps and of vhost-net are counted from; they mean nothing before a start. */
const [FIRST_TAP, FIRST_VHOST] = [3, 44];

type Backed = Exclude<NetworkInterface, { readonly type: "hostdev" }>;

/** -netdev, after what it refers to. qemuBuildHostNetProps() and qemuBuildInterfaceCommandLine() of libvirt */
export function formatNetdev(guest: Guest, found: Backed, id: string): Words {
  const netdev = (keys: object): Words => jsonWords("-netdev", { ...keys, id: `host${id}` });
  switch (found.type) {
    case "network":
    case "bridge":
    case "ethernet":
    case "direct":
      return netdev(tapKeys(found));
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
        ...vhostUserSocket(guest, found, id),
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

/** Each queue has a descriptor of the tap and, with vhost-net, one of that. */
function tapKeys(found: InterfaceOf<"network" | "bridge" | "ethernet" | "direct">): object {
  const { driver, tune } = found;
  const count = driver?.queues ?? 1;
  const numbers = (first: number): string => [...Array(count).keys()].map((at) => first + at).join(":");
  const several = count > 1 ? "s" : "";
  const hasVhost = isVirtio(found) && driver?.name !== "qemu";
  return {
    type: "tap",
    [`fd${several}`]: numbers(FIRST_TAP),
    ...(hasVhost ? { vhost: true, [`vhostfd${several}`]: numbers(FIRST_VHOST) } : {}),
    sndbuf: tune?.sndbuf?.bytes,
  };
}

/** QEMU's own network, or passt's at the other end of a socket. */
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

/** QEMU_PASST_RECONNECT of libvirt */
const PASST_RECONNECT_MS = 5000;

function passtSocket({ domain }: Guest, id: string): string {
  return `/var/run/libvirt/qemu/passt/-1-${domain.name}-${id}.socket`;
}

function vhostUserSocket(guest: Guest, { backend, source }: InterfaceOf<"vhostuser">, id: string): Words {
  const isPasst = backend?.type === "passt";
  const words = keyValues([
    ["id", `char${id}`],
    ["path", isPasst ? passtSocket(guest, id) : source?.path],
    ["server", source?.mode === "server" ? "on" : undefined],
    ["reconnect-ms", isPasst ? PASST_RECONNECT_MS : reconnectMs(source?.reconnect)],
  ]);
  return ["-chardev", `socket,${words}`];
}
