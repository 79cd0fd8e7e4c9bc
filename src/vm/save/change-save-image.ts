import { formatDomain, parseDomain } from "../../domain/document.ts";
import { SvirtError } from "../../errors.ts";
import { inspectExisting } from "../../labelling/free-file.ts";
import { fileKey } from "../../plan/facts/file-key.ts";
import { HEAD_BYTES, parseSaveHead, planSavedXml } from "../../qemu/files/save-image.ts";
import { refuseWritten } from "../../resolve/places/writable-places.ts";
import { type Instance, registryOf } from "../../state/instance.ts";
import { hasManagedSave, managedSavePath } from "../../state/managed-save.ts";
import { ownerName } from "../../state/record.ts";
import { findDomain } from "../guest/find-domain.ts";
import { decideSavedXml, getSavedXml, readSaveImage, type Shown } from "./save-image.ts";

/** Changes of a saved state. */
export interface SavedChange {
  /** Another definition of the same domain; undefined: the one in the file. */
  readonly xml: Uint8Array | undefined;
  /** Whether the guest runs or stays paused once it is restored; undefined: as the file says. */
  readonly resumes: boolean | undefined;
}

/**
 * Changes the definition in the file of a saved domain. Throws as readSaveImage() and decideSavedXml();
 * "in-use" for the file of a starting guest; "failed" for too long a definition; "denied" for a restricted
 * key. qemuDomainSaveImageDefineXML() of libvirt
 */
export async function changeSaveImage(instance: Instance, path: string, change: SavedChange): Promise<void> {
  // A restricted key must not choose which files svirt writes.
  if (instance.isForKey === true) refuseWritten(instance.host, inspectExisting(instance, path));
  await changeXmlIn(instance, path, change);
}

async function changeXmlIn(instance: Instance, path: string, { resumes, xml }: SavedChange): Promise<void> {
  const image = readSaveImage(instance, path);
  const [holder] = registryOf(instance).listHolders("file", fileKey(image.file));
  if (holder !== undefined) throw inUse(path, ownerName(instance, holder));
  const changed = {
    xml: formatDomain(parseDomain(decideSavedXml(image, xml))),
    wasRunning: resumes ?? image.wasRunning,
  };
  await instance.host.rewriteImage(image.file, ({ read }) => {
    const head = read(0, HEAD_BYTES);
    return planSavedXml(head, read(HEAD_BYTES, parseSaveHead(head).dataBytes), changed);
  });
}

/**
 * Changes the definition in the managed save of a domain, for any key: svirt chose the file. Throws as
 * changeSaveImage() and findManagedSave().
 */
export async function changeManagedSave(
  instance: Instance,
  key: string,
  change: SavedChange,
): Promise<{ readonly name: string }> {
  const { name, path } = findManagedSave(instance, key);
  await changeXmlIn(instance, path, change);
  return { name };
}

/** Returns the XML in the managed save of a domain. Throws as getSavedXml() and findManagedSave(). */
export function getManagedSaveXml(instance: Instance, key: string, shown: Shown): string {
  return getSavedXml(instance, findManagedSave(instance, key).path, shown);
}

/**
 * Returns a domain with the path of its managed save. Throws "not-found", "wrong-state" with libvirt's
 * message.
 */
export function findManagedSave(
  instance: Instance,
  key: string,
): { readonly name: string; readonly uuid: string; readonly path: string } {
  const { name, uuid } = findDomain(instance, key);
  if (hasManagedSave(instance, name)) return { name, uuid, path: managedSavePath(instance, name) };
  throw new SvirtError("Requested operation is not valid: domain does not have managed save image", {
    kind: "wrong-state",
    remedy: `Save it first: svirt managedsave ${name}`,
  });
}

function inUse(path: string, guest: string): SvirtError {
  return new SvirtError(`Cannot write ${path}: the guest ${guest} uses that file`, {
    kind: "in-use",
    remedy: "Wait until the guest has started.",
  });
}
