import { SvirtError } from "../errors.ts";
import type { FileLabel } from "../label/file-label.ts";
import { isGenericNode, listRelated } from "../resolve/related-devices.ts";
import type { ResolvedFile } from "../resolve/resolved-file.ts";
import { type Instance, registryOf } from "../state/instance.ts";
import { ownerName } from "../state/record.ts";

/** Future use of a device by a guest. */
interface DeviceUse extends FileLabel {
  readonly uuid: string;
}

/**
 * Throws "in-use" for a block device or a generic node if another guest reaches its data by another node, as
 * the disk of a partition: each node has a label and a claim of its own. Both may read it, and both may write
 * it with the same label. The caller holds the registry's lock.
 */
export function refuseRelated(
  instance: Instance,
  { facts: { id, type }, named }: ResolvedFile,
  { sharing, to, uuid }: DeviceUse,
): void {
  if (type !== "block" && !(type === "character" && isGenericNode(id))) return;
  for (const { is, name, number } of listRelated(instance.host, id)) {
    const others = registryOf(instance).listOthers({ kind: "file", key: `device-${number}` }, uuid);
    const other = others.find(
      (holder) => sharing === "exclusive" || holder.sharing === "exclusive" || holder.label !== to,
    );
    if (other === undefined) continue;
    const guest = ownerName(instance, other);
    throw new SvirtError(`Cannot give ${named} to the guest: the guest ${guest} uses its ${is} ${name}`, {
      kind: "in-use",
      remedy: `Stop that guest, or give this one another device: svirt shutdown ${guest}`,
    });
  }
}
