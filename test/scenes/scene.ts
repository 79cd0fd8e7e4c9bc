import { expect } from "bun:test";
import { asSvirtError, type SvirtError } from "../../src/errors.ts";
import type { Host } from "../../src/host/host.ts";
import type { LaunchSpec } from "../../src/plan/facts/launch-spec.ts";
import { SYSTEM_PATHS } from "../../src/plan/paths.ts";
import type { Instance } from "../../src/state/instance.ts";
import type { GuestRecord } from "../../src/state/record.ts";
import { sessionPaths } from "../../src/state/session-paths.ts";
import { recoverAll, recoverGuest } from "../../src/vm/recover/recover.ts";
import { startDomain } from "../../src/vm/start/start.ts";
import { qcow2Bytes } from "../images/qcow2-bytes.ts";
import { Machine, snapshot } from "../memory-host/machine.ts";
import type { Strike, Svirt } from "../memory-host/svirt.ts";

/** Label of an ordinary image on a host, which svirt must restore. */
export const ORIGINAL = "system_u:object_r:qemu_image_t:s0";

/** Options for the XML of a test's domain. */
export interface DomainOptions {
  readonly name?: string;
  readonly uuid?: string;
  readonly type?: "kvm" | "qemu";
  readonly disks?: string;
  readonly devices?: string;
  readonly seclabel?: string;
  readonly lifecycle?: string;
}

/** UUID of the default guest. */
export const UUID = "11111111-2222-4333-8444-000000000001";
/** UUID of a second guest. */
export const OTHER = "99999999-2222-4333-8444-000000000009";

/** Returns the XML of a domain. */
export function domainXml(options: DomainOptions = {}): Uint8Array {
  const {
    devices = "",
    disks = "",
    lifecycle = "",
    name = "vm1",
    seclabel = "",
    type = "kvm",
    uuid = UUID,
  } = options;
  return new TextEncoder().encode(
    `<domain type='${type}'><name>${name}</name><uuid>${uuid}</uuid><memory unit='MiB'>64</memory>` +
      `<os><type>hvm</type></os>${lifecycle}<devices>${disks}${devices}</devices>${seclabel}</domain>`,
  );
}

/**
 * Returns the XML of a disk with a file, raw unless its name ends in .qcow2. `extra` follows the target in
 * its element.
 */
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

/** One device of each kind that uses a device or socket of the host. */
export const ALL_DEVICES =
  "<input type='evdev'><source dev='/dev/input/event3'/></input><tpm><backend type='emulator' version='2.0'/></tpm>" +
  "<serial type='unix'><source mode='connect' path='/var/lib/images/peer.sock'/></serial>";

/** Creates a device node of the host with its number and type. */
export function putNode(
  machine: Machine,
  path: string,
  facts: { readonly node: string; readonly type: string; readonly mode?: number },
): void {
  machine.files.putFolder(path.slice(0, path.lastIndexOf("/")));
  const made = machine.files.put(path, "character", { node: facts.node, mode: facts.mode ?? 0o600 });
  made.xattrs.set("security.selinux", `system_u:object_r:${facts.type}:s0`);
}

/** Creates a file of the host with a text, and its missing parents. */
export function putText(machine: Machine, path: string, text: string): void {
  machine.files.putFolder(path.slice(0, path.lastIndexOf("/")));
  machine.files.put(path, "file", { mode: 0o644, bytes: new TextEncoder().encode(text) });
}

/** Returns a machine with images, each with its original label. */
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

/** Creates a stable name for a device node, as udev does at each boot. */
export function linkBlockDevice(machine: Machine): void {
  machine.files.put("/dev/by-id", "symlink", { target: "vdb" });
}

/** Returns the svirt instance as used by a new svirt process on the machine. */
export function nodeOn(machine: Machine, strike?: Strike): Instance & { readonly svirt: Svirt } {
  const { host, svirt } = machine.svirt(strike);
  return { ...nodeFor(machine, host), svirt };
}

/** Returns the order with which the guest's QEMU was started. Throws if none runs. */
export function orderOf(machine: Machine): LaunchSpec {
  const order = machine.processes.qemuOf(UUID)?.order;
  if (order === undefined) throw new Error("no QEMU runs");
  return order;
}

/** Returns the current label of a file. */
export function labelOf(machine: Machine, path: string): string | undefined {
  return machine.files.get(path).xattrs.get("security.selinux");
}

/** Returns the error of work that must fail. Throws if the work succeeds. */
export async function errorOf(work: Promise<unknown>): Promise<SvirtError> {
  try {
    await work;
  } catch (error) {
    return asSvirtError(error);
  }
  throw new Error("it was expected to throw and did not");
}

/** Returns the error of a start that must fail. Expects the machine to be unchanged. */
export async function failedStart(machine: Machine, options: DomainOptions): Promise<SvirtError> {
  const before = snapshot(machine);
  const error = await errorOf(startDomain(nodeOn(machine), domainXml(options)));
  machine.pass(1000);
  machine.reaps.splice(0);
  expect(snapshot(machine)).toEqual(before);
  return error;
}

/** Returns the XML of a static label with that range. */
export function staticLabel(range: string, relabel: "yes" | "no" = "yes"): string {
  return `<seclabel type='static' model='selinux' relabel='${relabel}'><label>system_u:system_r:svirt_t:${range}</label></seclabel>`;
}

/** Advances the clock. Each reaper whose guest has ended becomes `svirt reap`, a new process. */
export async function reapAll(machine: Machine): Promise<void> {
  machine.pass(1000);
  for (let uuid = machine.reaps.shift(); uuid !== undefined; uuid = machine.reaps.shift()) {
    await recoverGuest(nodeOn(machine), uuid);
  }
}

/** Recovers, as every command does first. Returns the names of recovered guests; throws the first error. */
export async function sweepAll(machine: Machine): Promise<readonly string[]> {
  machine.pass(1000);
  const { errors, recovered } = await recoverAll(nodeOn(machine));
  if (errors[0] !== undefined) throw errors[0];
  return recovered;
}

/** Returns the svirt instance of the machine's user. */
export function nodeFor({ uid }: Machine, host: Host): Instance {
  return { host, paths: uid === 0 ? SYSTEM_PATHS : sessionPaths(host, uid) };
}

/** Returns the label of a guest's folders and their entries: the image label with svirt's own type. */
export function folderLabelOf(guest: GuestRecord | undefined): string {
  return (guest?.label.imageLabel ?? "").replace(":svirt_image_t:", ":svirt_folder_t:");
}
