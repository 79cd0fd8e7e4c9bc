import { parseDomainText } from "../../domain/document.ts";
import { parseSnapshotText } from "../../domain/other-documents/snapshot.ts";
import { asSvirtError } from "../../errors.ts";
import type { FileId } from "../../plan/facts/file.ts";
import { refuseSilentPaths } from "../../resolve/silent-server.ts";
import type { Instance } from "../../state/instance.ts";
import type { StoredSnapshot } from "../../state/snapshots/snapshots.ts";
import { readSaveImage } from "../save/save-image.ts";

/** File with the memory of a deleted snapshot, and notices about a remaining file. */
interface FoundMemory {
  readonly file?: FileId;
  readonly left: readonly string[];
}

/**
 * Finds the file with a snapshot's memory: a restored guest would write by it into merged images. Its name is
 * from XML possibly written by a client: any file but a saved state of the domain stays. Throws "timeout" for
 * a silent server. qemuSnapshotDiscardExternal() of libvirt
 */
export async function findMemory(
  instance: Instance,
  uuid: string,
  { xml }: StoredSnapshot,
): Promise<FoundMemory> {
  const path = parseSnapshotText(xml).memory?.file;
  if (path === undefined) return { left: [] };
  await refuseSilentPaths(instance.host, [path]);
  try {
    const image = readSaveImage(instance, path);
    if (parseDomainText(image.xml).uuid === uuid) return { file: image.file, left: [] };
    return { left: [`${path} stays: it has the state of another domain`] };
  } catch (error) {
    const { kind, message } = asSvirtError(error);
    return { left: kind === "not-found" ? [] : [`${path} stays: ${message}`] };
  }
}
