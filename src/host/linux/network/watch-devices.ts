import { ptr } from "bun:ffi";
import { SvirtError } from "../../../errors.ts";
import type { DeviceWatch } from "../../channels.ts";
import { EINTR, EWOULDBLOCK } from "../calls/errno.ts";
import { basicCalls, hostCallError, libc, readErrno } from "../calls/libc.ts";
import { SignalledDescriptor } from "../calls/signalled-descriptor.ts";
import { readText } from "../files/quick-files.ts";

/** linux/socket.h, linux/netlink.h */
const AF_NETLINK = 16;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const NETLINK_KOBJECT_UEVENT = 15;
/** Group of the kernel's messages; udevd's is 2. */
const KERNEL_GROUP = 1;
/** UEVENT_BUFFER_SIZE of linux/kobject.h, with room for the header. */
const MESSAGE_BYTES = 8192;
/** Most messages per read. */
const MOST = 4096;
/** user_namespaces(7): the host's users are the kernel's. */
const HOST_USERS = /^\s*0\s+0\s+4294967295\s*$/;

/**
 * Implements Host.watchDevices: the kernel's messages about devices, which it reports by SIGIO. udevd is not
 * needed. The kernel sends none to containers with users of their own. netlink(7) NETLINK_KOBJECT_UEVENT
 */
export function watchDevices(): DeviceWatch {
  if (!HOST_USERS.test(readText("/proc/self/uid_map") ?? "")) {
    throw new SvirtError(
      "Cannot watch the devices of the host: the kernel reports none in a user namespace",
      {
        kind: "unsupported",
        libvirt: "NO_SUPPORT",
        remedy: "List the devices from time to time: svirt nodedev-list",
      },
    );
  }
  return new Watch();
}

class Watch implements DeviceWatch {
  readonly #socket: SignalledDescriptor;
  readonly #bytes = new Uint8Array(MESSAGE_BYTES);

  constructor() {
    const type = SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    const fd = libc().socket(AF_NETLINK, type, NETLINK_KOBJECT_UEVENT);
    if (fd < 0) throw hostCallError("watch the devices of the host", readErrno());
    this.#socket = new SignalledDescriptor(fd);
    try {
      const address = new DataView(new ArrayBuffer(12));
      address.setUint16(0, AF_NETLINK, true);
      address.setUint32(8, KERNEL_GROUP, true);
      if (libc().bind(fd, ptr(address.buffer), address.byteLength) !== 0)
        throw hostCallError("watch the devices of the host", readErrno());
    } catch (error) {
      this.close();
      throw error;
    }
  }

  take(): readonly string[] | undefined {
    const changed = new Set<string>();
    let isAny = false;
    for (let count = 0; count < MOST && !this.#socket.isClosed; count += 1) {
      const length = basicCalls().read(this.#socket.fd, this.#bytes, MESSAGE_BYTES);
      // The kernel reports dropped messages once: ENOBUFS.
      if (length < 0 && [EWOULDBLOCK, EINTR].includes(readErrno())) break;
      isAny = true;
      const message = length > 0 ? parseUevent(this.#bytes.subarray(0, Number(length))) : undefined;
      if (message?.action === "change") changed.add(message.path);
    }
    return isAny ? [...changed] : undefined;
  }

  async wait(): Promise<void> {
    await this.#socket.wait();
  }

  close(): void {
    this.#socket.close();
  }
}

/** A message of the kernel about a device. */
export interface Uevent {
  readonly action: string;
  /** Folder of the device in sysfs. */
  readonly path: string;
}

/**
 * Reads the first line of a message; undefined if it is no kernel's. kobject_uevent_env() in linux.git
 * lib/kobject_uevent.c
 */
export function parseUevent(bytes: Uint8Array): Uevent | undefined {
  const end = bytes.indexOf(0);
  if (end < 0) return undefined;
  const [, action, path] =
    /^([a-z]+)@(\/[^\n]*)$/.exec(new TextDecoder().decode(bytes.subarray(0, end))) ?? [];
  return action === undefined || path === undefined ? undefined : { action, path: `/sys${path}` };
}
