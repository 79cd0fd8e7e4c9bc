import { closeSync, constants, fstatSync, openSync, readdirSync, readFileSync } from "node:fs";
import { SvirtError } from "../../../errors.ts";
import type { PassedTap } from "../../../plan/facts/tap.ts";
import { askDevice, callDevice, requestFor } from "../calls/device-call.ts";
import { EBUSY } from "../calls/errno.ts";
import { hostCallError, readErrno } from "../calls/libc.ts";
import { deviceNumber } from "../files/file-id.ts";
import { orThrow } from "../files/files.ts";
import { setLabelOf } from "../labels/xattr.ts";
import { macvtapNode } from "./macvtap.ts";

// Rule: The node of a macvtap is verified, and gets the label of its guest.

/** linux/if_tun.h */
const TUNSETIFF = 0x4004_54ca;
const TUNSETOWNER = 0x4004_54cc;
const IFF_TAP = 0x0002;
const IFF_MULTI_QUEUE = 0x0100;
const IFF_NO_PI = 0x1000;
const IFF_VNET_HDR = 0x4000;
const IFF_TUN_EXCL = 0x8000;
const ROOT = 0;

/** A descriptor, and its name in QEMU. */
interface OpenedQueue {
  readonly name: string;
  readonly fd: number;
}

/**
 * Opens the queues of a tap, created for the guest or existing, and vhost-net for each. A created tap lives
 * as long as any of its descriptors. Throws "host-call"; "in-use" if another program has the name.
 */
export function openTap(tap: PassedTap): readonly OpenedQueue[] {
  const opened: OpenedQueue[] = [];
  try {
    const path = tap.macvtap === undefined ? "/dev/net/tun" : macvtapNode(tap.name);
    for (const [at, name] of tap.queues.entries()) {
      const fd = open(path);
      opened.push({ name, fd });
      if (tap.macvtap !== undefined) beginMacvtap(fd, tap.name, tap.macvtap);
      joinTap(fd, tap, at);
    }
    for (const name of tap.vhosts) opened.push({ name, fd: open("/dev/vhost-net") });
    return opened;
  } catch (error) {
    for (const { fd } of opened) closeSync(fd);
    throw error;
  }
}

function open(path: string): number {
  return orThrow(`open ${path}`, () => openSync(path, constants.O_RDWR | constants.O_NONBLOCK));
}

/**
 * Verifies and labels the node of a macvtap. Its name has the device's index, which other network namespaces
 * use too, so the node may be another device's. Labelled as virSecuritySELinuxSetTapFDLabel() of libvirt
 * does.
 */
function beginMacvtap(fd: number, name: string, { label }: NonNullable<PassedTap["macvtap"]>): void {
  if (!isNodeOf(fd, name)) {
    throw new SvirtError(
      `Cannot open the macvtap ${name}: its node in /dev belongs to another network device`,
      {
        kind: "host-call",
        remedy:
          "Write <interface type='bridge'>; or remove the other device, which is in another network namespace.",
      },
    );
  }
  if (label !== undefined) labelOpen(fd, label);
}

function isNodeOf(fd: number, name: string): boolean {
  const folder = `/sys/class/net/${name}/macvtap`;
  const [node = ""] = orThrow(`inspect ${folder}`, () => readdirSync(folder));
  const number = orThrow(`read ${folder}`, () => readFileSync(`${folder}/${node}/dev`, "utf8"));
  return number.trim() === deviceNumber(fstatSync(fd, { bigint: true }).rdev);
}

function labelOpen(fd: number, label: string): void {
  orThrow(`label the tap ${label}`, () => setLabelOf(fd, label));
}

/** Joins a queue to the tap. The first queue creates a new device, and refuses an existing name. */
function joinTap(fd: number, tap: PassedTap, at: number): void {
  const { hasHeader, isMade, name, queues } = tap;
  // The node identifies a macvtap: the kernel ignores the name.
  const { bytes, rest } = requestFor(tap.macvtap === undefined ? name : "");
  const flags =
    IFF_TAP |
    IFF_NO_PI |
    (hasHeader ? IFF_VNET_HDR : 0) |
    (queues.length > 1 ? IFF_MULTI_QUEUE : 0) |
    (isMade && at === 0 ? IFF_TUN_EXCL : 0);
  rest.setUint16(0, flags, true);
  if (callDevice(fd, TUNSETIFF, bytes)) {
    // Any user may add a queue to a tap without an owner, and turn headers on for all its queues.
    // tun_not_capable() of Linux
    if (isMade && at === 0 && askDevice(fd, TUNSETOWNER, ROOT) !== 0)
      throw hostCallError(`set the owner of the tap ${name}`, readErrno());
    return;
  }
  const errno = readErrno();
  if (errno !== EBUSY) throw hostCallError(`open the tap ${name}`, errno);
  throw new SvirtError(`Cannot open the tap ${name} for the guest: another program uses it`, {
    kind: "in-use",
    remedy: "End that program, or write another name into <target dev='…'/>.",
  });
}
