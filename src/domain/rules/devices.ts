import { checkEach, contradict, type Faults } from "../../xml/faults.ts";
import type { XmlNode } from "../../xml/node.ts";
import { notUnderstood } from "../../xml/refusal.ts";
import type { Filesystem } from "../devices/filesystem.ts";
import type { Devices } from "../devices.ts";

/** Refuses contradictions between two devices of a domain. `node` is the `<domain>`. */
export function refuseDeviceContradictions(devices: Devices, node: XmlNode, faults?: Faults): void {
  const inside = node.children.find(({ tag }) => tag === "devices");
  if (inside === undefined) return;
  checkEach(faults, [
    () => refuseDoubleAlias(inside, faults),
    () => refuseDoubleTarget(devices, inside, faults),
  ]);
}

// virDomainDefValidateAliases() of libvirt: the first console may be the first serial port under another
// name.
function refuseDoubleAlias(devices: XmlNode, faults: Faults | undefined): void {
  const seen = new Map<string, XmlNode>();
  for (const device of devices.children) {
    const alias = device.children.find(({ tag }) => tag === "alias");
    const name = alias?.attributes.get("name");
    if (alias === undefined || name?.startsWith("ua-") !== true) continue;
    const before = seen.get(name);
    seen.set(name, before ?? device);
    if (before === undefined || (before.tag === "serial" && device.tag === "console")) continue;
    const spot = { node: alias, place: "@name" };
    contradict(faults, notUnderstood(spot, "another device has it", "Write another name."));
  }
}

// virDomainFSDefValidate() of libvirt
function refuseDoubleTarget({ filesystems }: Devices, devices: XmlNode, faults: Faults | undefined): void {
  const isTwin = (one: Filesystem, other: Filesystem): boolean =>
    one.target.dir === other.target.dir && [one, other].some(({ driver }) => driver?.type === "virtiofs");
  for (const [at, one] of filesystems.entries()) {
    if (!filesystems.slice(0, at).some((other) => isTwin(one, other))) continue;
    const spot = { node: devices, place: `filesystem[${at + 1}]/target/@dir` };
    contradict(faults, notUnderstood(spot, "another folder has this name", "Write another dir."));
  }
}
