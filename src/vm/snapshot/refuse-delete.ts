import type { Snapshot } from "../../domain/other-documents/snapshot.ts";
import { SvirtError } from "../../errors.ts";
import type { SnapshotTree, StoredSnapshot } from "../../state/snapshots/snapshots.ts";
import type { DeletedSnapshots } from "./delete-snapshot.ts";
import { snapshotIn } from "./find-snapshot.ts";
import { childrenOf, listBelow } from "./select-snapshots.ts";

/** Disk of a snapshot with its overlay. */
export type ExternalDisk = NonNullable<Snapshot["disks"]>["disks"][number];

/**
 * Throws libvirt's refusals of snapshots without a deletion of their images, and svirt's own for images of no
 * guest. qemuSnapshotDeleteValidate() of libvirt
 */
export function refuseDelete(tree: SnapshotTree, name: string, which: DeletedSnapshots["which"]): void {
  const snapshot = snapshotIn(tree, name);
  if (which !== "one") refuseBelow(tree, name);
  if (!snapshot.isExternal) throw insideImage();
  if (which === "tree") throw unsupported("deletion of external disk snapshots with children not supported");
  if (which === "one") refusePlace(tree, snapshot);
}

function refuseBelow(tree: SnapshotTree, name: string): void {
  const below = listBelow(tree, name);
  const external = below.filter(({ isExternal }) => isExternal).length;
  if (external === 0 && below.length === 0) return;
  if (external === 0) throw insideImage();
  const kinds = external < below.length ? "external and internal children" : "external children";
  throw unsupported(`deletion of ${kinds} disk snapshots not supported`);
}

function refusePlace(tree: SnapshotTree, { name, xml }: StoredSnapshot): void {
  const children = childrenOf(tree, name).length;
  const isCurrent = tree.current === name;
  if (isCurrent && children > 0)
    throw unsupported("deletion of active external snapshot that is not a leaf snapshot is not supported");
  if (!isCurrent && children > 0 && !isAboveCurrent(tree, name))
    throw unsupported("deletion of non-leaf external snapshot that is not in active chain is not supported");
  if (children > 1)
    throw unsupported("deletion of external disk snapshot with multiple children snapshots not supported");
  // libvirt removes the images in their XML, possibly written by a client.
  if (!isCurrent && children === 0)
    throw ownImagesRefusal(
      `svirt does not remove the images of a snapshot that is not in the active chain: ${name}`,
    );
  if (xml.includes("<revertDisks>"))
    throw ownImagesRefusal(`svirt does not delete a snapshot with the images of a revert: ${name}`);
}

/** Whether the current snapshot is below one. */
function isAboveCurrent(tree: SnapshotTree, name: string): boolean {
  return listBelow(tree, name).some((one) => one.name === tree.current);
}

/** Returns the refusal of a snapshot without images of its own. */
function insideImage(): SvirtError {
  return new SvirtError("Operation not supported: svirt does not delete snapshots inside an image", {
    kind: "unsupported",
    libvirt: "OPERATION_UNSUPPORTED",
    remedy: "Remove its data alone: svirt snapshot-delete DOMAIN SNAPSHOT --metadata",
  });
}

function ownImagesRefusal(why: string): SvirtError {
  return new SvirtError(`Operation not supported: ${why}`, {
    kind: "unsupported",
    libvirt: "OPERATION_UNSUPPORTED",
    remedy:
      "Remove its data alone, and then the images that no snapshot needs: svirt snapshot-delete --metadata, svirt vol-delete",
  });
}

function unsupported(why: string): SvirtError {
  return new SvirtError(`unsupported configuration: ${why}`, {
    kind: "unsupported",
    from: "QEMU",
    remedy: "Delete the snapshots below it first, one after another; or remove their data alone: --metadata",
  });
}
