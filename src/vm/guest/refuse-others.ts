import { SvirtError } from "../../errors.ts";
import { fileKey } from "../../plan/facts/file-key.ts";
import { vfioGroupNode } from "../../resolve/files/device-node.ts";
import { type Instance, registryOf } from "../../state/instance.ts";

// Rule: A PCI device of another guest is refused.

/**
 * Throws "in-use" if a guest other than that of the UUID has a PCI device, or its IOMMU group; undefined: it
 * is in none.
 */
export function refuseOthers(
  instance: Instance,
  { group, name }: { readonly name: string; readonly group: string | undefined },
  uuid: string,
): void {
  const registry = registryOf(instance);
  const node = group === undefined ? undefined : instance.host.inspectFile(vfioGroupNode(group))?.id;
  const [other] = [
    ...registry.listOthers({ kind: "pci", key: name }, uuid),
    // A guest that found the device bound to a VFIO driver has claimed only the group's node. The kernel
    // would remove the device from that guest before it binds another driver.
    ...(node === undefined ? [] : registry.listOthers({ kind: "file", key: fileKey(node) }, uuid)),
  ];
  if (other === undefined) return;
  throw new SvirtError(`Cannot detach ${name} from the host: the guest ${other.owner} uses it`, {
    kind: "in-use",
    // virHostdevIsPCINodeDeviceUsed() of libvirt
    libvirt: "OPERATION_INVALID",
    from: "NONE",
    remedy: `Stop that guest (its name: svirt domname ${other.owner}).`,
  });
}
