import { uuidOf } from "../../domain/forms/uuid.ts";
import { SvirtError } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import { fileKey } from "../../plan/facts/file-key.ts";
import type { Claim } from "../../plan/facts/step-parts.ts";
import { pciLock, pciLocksFolder } from "../../plan/paths.ts";
import type { Step } from "../../plan/steps/step.ts";
import { vfioGroupNode } from "../../resolve/files/device-node.ts";
import { deviceBehind } from "../../resolve/host/guest-devices.ts";
import { listNetworkFolders } from "../../resolve/host/guest-network.ts";
import { PCI_DEVICES } from "../../run/steps/pci.ts";
import { type Instance, registryOf } from "../../state/instance.ts";

/** Part of a PCI device that a guest may have by itself, and its IOMMU group. */
export interface DevicePart {
  readonly name: string;
  readonly group: string | undefined;
}

/** Lists a device, its virtual functions, and their mediated devices. */
export function listParts(host: Host, path: string): readonly DevicePart[] {
  return listFunctions(host, path)
    .flatMap((one) => [one, ...listMediated(host, one)])
    .map((each) => {
      const group = host.inspectFile(`${each}/iommu_group`)?.id.path;
      return { name: lastOf(each), group: group && lastOf(group) };
    });
}

/** Lists a device and its virtual functions. Documentation/PCI/pci-iov-howto.rst of Linux */
export function listFunctions(host: Host, path: string): readonly string[] {
  const links = host.listFolder(path).filter((name) => /^virtfn\d+$/.test(name));
  return [path, ...links.flatMap((name) => host.inspectFile(`${path}/${name}`)?.id.path ?? [])];
}

/**
 * Lists the mediated devices of a device, which are folders in its own.
 * Documentation/driver-api/vfio-mediated-device.rst of Linux
 */
function listMediated(host: Host, path: string): readonly string[] {
  return host.listFolder(path).flatMap((name) => (uuidOf(name) === name ? [`${path}/${name}`] : []));
}

/**
 * Throws "in-use" if steps of the guest `uuid` claim a device, or a device behind it, in use by another guest
 * or svirt: being taken from its driver, held, or not given back yet; or if they reach a network by a card of
 * such a device. The kernel may take long for it, so only the other guest's claim, or the lock of the device,
 * is held meanwhile. The caller holds the registry's lock, under which the other user has found the device
 * unused.
 */
export function refuseChanging(instance: Instance, steps: readonly Step[], uuid: string): void {
  const { host, paths } = instance;
  const registry = registryOf(instance);
  const held = registry.listKeys("pci").flatMap((address) => {
    const [other] = registry.listOthers({ kind: "pci", key: address }, uuid);
    return other === undefined ? [] : [{ address, owner: other.owner }];
  });
  const locked = host
    .listFolder(pciLocksFolder(paths))
    .filter((address) => host.isLocked(pciLock(paths, address)));
  if (held.length === 0 && locked.length === 0) return;
  const meets = needsOf(host, steps);
  const taken = held.find(({ address }) => meets(address));
  if (taken !== undefined) throw heldByGuest(taken.address, taken.owner);
  const changing = locked.find(meets);
  if (changing === undefined) return;
  throw new SvirtError(`Cannot use ${changing}: another svirt is changing its driver or resetting it`, {
    kind: "in-use",
    remedy: "Wait until that command has ended, then repeat this one: pgrep --full nodedev-",
  });
}

/**
 * Returns whether steps of a guest need a PCI device: they claim it, a part of it or a device behind it, or
 * reach a network by its card.
 */
function needsOf(host: Host, steps: readonly Step[]): (address: string) => boolean {
  const claims = steps.flatMap((step) =>
    step.do === "reserve" || step.do === "set-label" ? [step.claim] : [],
  );
  const folders = listNetworkFolders(host, steps);
  return (address) => claims.some((claim) => isOf(host, address, claim)) || hasCardOf(host, address, folders);
}

/**
 * Whether any of these folders of network devices belongs to a card of a device, or of its virtual functions.
 */
function hasCardOf(host: Host, address: string, folders: readonly string[]): boolean {
  return listFunctions(host, `${PCI_DEVICES}/${address}`)
    .map((path) => host.inspectFile(path)?.id.path)
    .some((path) => path !== undefined && folders.some((one) => one.startsWith(`${path}/`)));
}

function heldByGuest(address: string, owner: string): SvirtError {
  return new SvirtError(`Cannot use ${address}: the guest ${owner} uses it, or is taking or returning it`, {
    kind: "in-use",
    remedy: `Stop that guest (its name: svirt domname ${owner}). If it has ended: svirt recover`,
  });
}

/** Whether a claim is that of a device, of a part of it, or of a device behind it. */
function isOf(host: Host, address: string, { key, kind }: Claim): boolean {
  const parts = listParts(host, `${PCI_DEVICES}/${address}`);
  if (kind === "pci") return parts.some(({ name }) => name === key);
  if (kind !== "file") return false;
  return (
    parts.some(({ group }) => group !== undefined && groupKey(host, group) === key) ||
    deviceBehind(host, address, key) !== undefined
  );
}

function groupKey(host: Host, group: string): string | undefined {
  const node = host.inspectFile(vfioGroupNode(group))?.id;
  return node === undefined ? undefined : fileKey(node);
}

/** Returns the last name of a path in sysfs: the address of a PCI device, the number of a group. */
export function lastOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
