import type { Disk } from "../devices/disk/disk.ts";
import { listPorts } from "../ports.ts";
import { portPlace } from "./backends.ts";
import { forEach, LEAVE_OUT, type UnimplementedRule } from "./rule.ts";

const AGAIN = {
  missing: "reconnect a guest to a server that closed the connection",
  why: "QEMU receives one open connection, and SELinux does not let it connect again",
  remedy: "Write enabled='no', or leave <reconnect> out.",
};

/**
 * Rules for other programs' sockets without support in svirt. QEMU's listening sockets are not among them.
 */
export const SOCKET_RULES = {
  interfaces: forEach("interface", ({ devices }) => devices.interfaces, [
    {
      place: "source",
      missing: "connect an interface to the socket of a vhost-user program",
      why:
        "QEMU must open the sockets of vhost-user networks itself, which requires access to the " +
        "other program's SELinux domain",
      remedy: "Write mode='server', and have the program connect to the guest.",
      isAsked: (found) => found.type === "vhostuser" && found.source?.mode !== "server",
    },
  ]),
  shmems: forEach("shmem", ({ devices }) => devices.shmems, [
    {
      place: "server",
      missing: "share memory that another program creates",
      why: "the program passes its own open files, which the policy denies to every guest",
      remedy: "Write <model type='ivshmem-plain'/>, and leave <server> out of <shmem>.",
      isAsked: ({ server }) => server !== undefined,
    },
  ]),
  disks: forEach("disk", ({ devices }) => devices.disks, [
    { ...AGAIN, place: "source/reconnect", remedy: LEAVE_OUT, isAsked: isConnectedAgain },
  ]),
  rngs: forEach("rng", ({ devices }) => devices.rngs, [
    {
      ...AGAIN,
      place: "backend/source/reconnect",
      isAsked: ({ backend }) => backend.model === "egd" && backend.source.reconnect?.enabled === true,
    },
  ]),
  /** Serial and parallel ports, consoles and channels. */
  ports: [
    {
      ...AGAIN,
      place: "/domain/devices/*/source/reconnect",
      findIn: ({ devices }) =>
        listPorts(devices).flatMap((port) =>
          port.chardev.type === "unix" && port.chardev.source?.reconnect?.enabled === true
            ? [{ place: `${portPlace(devices, port)}/source/reconnect` }]
            : [],
        ),
    },
  ],
} as const satisfies Readonly<Record<string, readonly UnimplementedRule[]>>;

function isConnectedAgain(disk: Disk): boolean {
  if (disk.type === "vhostuser") return disk.source.reconnect?.enabled === true;
  if (disk.type !== "network" || disk.source?.protocol !== "nbd") return false;
  return (
    disk.source.reconnect !== undefined && disk.source.hosts.some(({ transport }) => transport === "unix")
  );
}
