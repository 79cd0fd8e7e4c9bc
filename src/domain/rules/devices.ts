import type { XmlNode } from "../../xml/node.ts";
import { notUnderstood } from "../../xml/refusal.ts";
import type { Filesystem } from "../devices/filesystem.ts";
import type { Devices } from "../devices.ts";

/** Refuses what two devices of a domain say against each other. `node` is the `<domain>`. */
export function refuseDeviceContradictions(devices: Devices, node: XmlNode): void {
  const inside = node.children.find(({ tag }) => tag === "devices");
  if (inside === undefined) return;
  refuseDoubleAlias(inside);
  refuseDoubleTarget(devices, inside);
}

// virDomainDefValidateAliases() of libvirt: the first console may be the first serial port under another name.
function refuseDoubleAlias(devices: XmlNode): void {
  const seen = new Map<string, XmlNode>();
  for (const device of devices.children) {
    const alias = device.children.find(({ tag }) => tag === "alias");
    const name = alias?.attributes.get("name");
    if (alias === undefined || name?.startsWith("ua-") !== true) continue;
    const before = seen.get(name);
    seen.set(name, before ?? device);
    if (before === undefined || (before.tag === "serial" && device.tag === "console")) continue;
    throw notUnderstood({ node: alias, place: "@name" }, "another device has it", "Write another one.");
  }
}

// virDomainFSDefValidate() of libvirt
function refuseDoubleTarget({ filesystems }: Devices, devices: XmlNode): void {
  const isTwin = (one: Filesystem, other: Filesystem): boolean =>
    one.target.dir === other.target.dir && [one, other].some(({ driver }) => driver?.type === "virtiofs");
  const twice = filesystems.findIndex((one, at) =>
    filesystems.slice(0, at).some((other) => isTwin(one, other)),
  );
  if (twice === -1) return;
  const place = `filesystem[${twice + 1}]/target/@dir`;
  throw notUnderstood({ node: devices, place }, "another folder has this name", "Write another one.");
}
