import { expect } from "bun:test";
import { asSvirtError, type SvirtError } from "../../src/errors.ts";
import type { Host } from "../../src/host/host.ts";
import type { GuestOrder } from "../../src/plan/facts/guest-order.ts";
import { SYSTEM_PATHS } from "../../src/plan/paths.ts";
import type { Node } from "../../src/state/instance.ts";
import type { GuestRecord } from "../../src/state/record.ts";
import { sessionPaths } from "../../src/state/session-paths.ts";
import { settle, sweep } from "../../src/vm/recover/recover.ts";
import { startDomain } from "../../src/vm/start/start.ts";
import { qcow2Bytes } from "../images/qcow2-bytes.ts";
import { Machine, snapshot } from "../memory-host/machine.ts";
import type { Strike, Svirt } from "../memory-host/svirt.ts";

/** What an ordinary image carries on a host: what svirt must put back. */
export const ORIGINAL = "system_u:object_r:qemu_image_t:s0";

/** A domain of a test: what its XML says besides name, uuid and memory. */
export interface DomainWish {
  readonly name?: string;
  readonly uuid?: string;
  readonly type?: "kvm" | "qemu";
  readonly disks?: string;
  readonly devices?: string;
  readonly seclabel?: string;
  readonly lifecycle?: string;
}

/** The guest that most tests start. */
export const UUID = "11111111-2222-4333-8444-000000000001";
/** That of a second one. */
export const OTHER = "99999999-2222-4333-8444-000000000009";

/** The XML of a domain. */
export function domainXml(wish: DomainWish = {}): Uint8Array {
  const {
    devices = "",
    disks = "",
    lifecycle = "",
    name = "vm1",
    seclabel = "",
    type = "kvm",
    uuid = UUID,
  } = wish;
  return new TextEncoder().encode(
    `<domain type='${type}'><name>${name}</name><uuid>${uuid}</uuid><memory unit='MiB'>64</memory>` +
      `<os><type>hvm</type></os>${lifecycle}<devices>${disks}${devices}</devices>${seclabel}</domain>`,
  );
}

/** A disk of a file, raw unless its name says qcow2; what stands in its element besides the source is `extra`. */
export function diskXml(file: string, target: string, extra = ""): string {
  const format = file.endsWith(".qcow2") ? "qcow2" : "raw";
  return `<disk type='file' device='disk'><driver name='qemu' type='${format}'/><source file='${file}'/><target dev='${target}' bus='virtio'/>${extra}</disk>`;
}

/** One disk of each kind: private with a backing file, shared, read-only, and a block device by a symlink. */
export const ALL_KINDS = [
  diskXml("/var/lib/images/top.qcow2", "vda"),
  diskXml("/var/lib/images/shared.raw", "vdb", "<shareable/>"),
  diskXml("/var/lib/images/install.iso", "vdc", "<readonly/>"),
  "<disk type='block' device='disk'><driver name='qemu' type='raw'/><source dev='/dev/by-id'/><target dev='vdd' bus='virtio'/></disk>",
].join("");

/** Devices of the host's, of each kind that a guest can be given. */
export const ALL_DEVICES =
  "<input type='evdev'><source dev='/dev/input/event3'/></input><tpm><backend type='emulator' version='2.0'/></tpm>" +
  "<serial type='unix'><source mode='connect' path='/var/lib/images/peer.sock'/></serial>";

/** A node of the host's with its number and type. */
export function putNode(
  machine: Machine,
  path: string,
  facts: { readonly node: string; readonly type: string; readonly mode?: number },
): void {
  machine.files.putFolder(path.slice(0, path.lastIndexOf("/")));
  const made = machine.files.put(path, "character", { node: facts.node, mode: facts.mode ?? 0o600 });
  made.xattrs.set("security.selinux", `system_u:object_r:${facts.type}:s0`);
}

/** A file of the host's with a text, and the folders above it. */
export function putText(machine: Machine, path: string, text: string): void {
  machine.files.putFolder(path.slice(0, path.lastIndexOf("/")));
  machine.files.put(path, "file", { mode: 0o644, bytes: new TextEncoder().encode(text) });
}

/** A machine with images, each with its label from before any guest. */
export function makeMachine(machine = new Machine()): Machine {
  const image = (name: string, bytes: Uint8Array = new Uint8Array(4096)): void => {
    const made = machine.files.put(`/var/lib/images/${name}`, "file", { bytes });
    made.xattrs.set("security.selinux", ORIGINAL);
  };
  const overlay = qcow2Bytes({ backingFile: "base.raw", extensions: [[0xe2792aca, "raw"]] });
  image("top.qcow2", overlay);
  image("base.raw");
  image("shared.raw");
  image("install.iso");
  for (let at = 1; at <= 4; at += 1) image(`private${at}.raw`);
  machine.files.put("/var/lib/images/peer.sock", "socket").xattrs.set("security.selinux", ORIGINAL);
  linkBlockDevice(machine);
  machine.sharedFiles.add("/var/lib/images/shared.raw");
  return machine;
}

/** A stable name for a device node, as udev makes one at each boot. */
export function linkBlockDevice(machine: Machine): void {
  machine.files.put("/dev/by-id", "symlink", { target: "vdb" });
}

/** A new process of svirt on the machine. */
export function nodeOn(machine: Machine, strike?: Strike): Node & { readonly svirt: Svirt } {
  const { host, svirt } = machine.svirt(strike);
  return { ...nodeFor(machine, host), svirt };
}

/** With what the guest's QEMU was started. Fails when none runs. */
export function orderOf(machine: Machine): GuestOrder {
  const order = machine.processes.qemuOf(UUID)?.order;
  if (order === undefined) throw new Error("no QEMU runs");
  return order;
}

/** The label that a file carries now. */
export function labelOf(machine: Machine, path: string): string | undefined {
  return machine.files.get(path).xattrs.get("security.selinux");
}

/** What it threw. Fails when it did not. */
export async function errorOf(work: Promise<unknown>): Promise<SvirtError> {
  try {
    await work;
  } catch (error) {
    return asSvirtError(error);
  }
  throw new Error("it was expected to throw and did not");
}

/** What a start that must fail threw. It must leave the machine as it was. */
export async function failedStart(machine: Machine, wish: DomainWish): Promise<SvirtError> {
  const before = snapshot(machine);
  const error = await errorOf(startDomain(nodeOn(machine), domainXml(wish)));
  machine.pass(1000);
  machine.reaps.splice(0);
  expect(snapshot(machine)).toEqual(before);
  return error;
}

/** A static label of that range. */
export function staticLabel(range: string, relabel: "yes" | "no" = "yes"): string {
  return `<seclabel type='static' model='selinux' relabel='${relabel}'><label>system_u:system_r:svirt_t:${range}</label></seclabel>`;
}

/** Time goes by; every reaper that saw its guest end becomes `svirt reap`, a process of its own. */
export async function reapAll(machine: Machine): Promise<void> {
  machine.pass(1000);
  for (let uuid = machine.reaps.shift(); uuid !== undefined; uuid = machine.reaps.shift()) {
    await settle(nodeOn(machine), uuid);
  }
}

/** What any command of svirt does first; the errors that it met are thrown. */
export async function sweepAll(machine: Machine): Promise<readonly string[]> {
  machine.pass(1000);
  const { errors, settled } = await sweep(nodeOn(machine));
  if (errors[0] !== undefined) throw errors[0];
  return settled;
}

/** The instance of the machine's user. */
export function nodeFor({ uid }: Machine, host: Host): Node {
  return { host, paths: uid === 0 ? SYSTEM_PATHS : sessionPaths(host, uid) };
}

/** What a guest's folders carry, with all that is in them: the image label with svirt's own type. */
export function folderLabelOf(guest: GuestRecord | undefined): string {
  return (guest?.label.imageLabel ?? "").replace(":svirt_image_t:", ":svirt_folder_t:");
}
