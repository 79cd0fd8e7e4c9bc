import type { WipeMethod } from "../../../host/files.ts";
import type { FileId } from "../../../plan/facts/file.ts";
import type { Instance } from "../../../state/instance.ts";
import { findVolume } from "../find-volume.ts";
import { refuseSparse } from "../logical-facts.ts";
import { refuseNeeded } from "../refuse-needed.ts";
import { withUnusedVolume } from "../unused-volume.ts";

/**
 * Makes all bytes of a volume's file zero: an image with a header is none afterwards. Throws "not-found";
 * "in-use" for a volume that a guest, a definition or another volume has; "unsupported" if the file system
 * cannot do that; "denied".
 */
export async function wipeVolume(
  instance: Instance,
  volume: { readonly key: string; readonly pool: string | undefined; readonly seen?: FileId },
  how: WipeMethod,
): Promise<void> {
  await refuseSparse(instance, await findVolume(instance, volume.key, volume.pool));
  const id = await withUnusedVolume(
    instance,
    { ...volume, attempt: "wipe", readsPools: true },
    ({ facts, folder, pass }) => {
      refuseNeeded(instance, { attempt: `wipe ${facts.id.path}`, file: facts.id, pass }, folder);
      return facts.id;
    },
  );
  // As an upload, without the registry's lock.
  await instance.host.wipeFile(id, how);
}
