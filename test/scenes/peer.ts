import type { Machine } from "../memory-host/machine.ts";
import { makeMachine, ORIGINAL } from "./scene.ts";

/** Socket of another program that serves a guest's device. */
export const SOCKET = "/srv/peer.sock";

/** Memory that a program shares to serve a device. */
export const SHARED_MEMORY = "<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>";

/** Disk that the program serves by vhost-user. */
export const VHOST_USER_DISK = `<disk type='vhostuser'><driver type='raw'/><source type='unix' path='${SOCKET}'/><target dev='vda' bus='virtio'/></disk>`;

/** Returns the XML of a disk that the program serves by NBD. */
export function nbdDisk(more = ""): string {
  return `<disk type='network'><driver type='raw'/><source protocol='nbd' name='x'><host transport='unix' socket='${SOCKET}'/></source><target dev='vda' bus='virtio'/>${more}</disk>`;
}

/** Returns a machine on which the program listens. */
export function withSocket(): Machine {
  const made = makeMachine();
  made.files.putFolder("/srv");
  made.files.put(SOCKET, "socket").xattrs.set("security.selinux", ORIGINAL);
  return made;
}
