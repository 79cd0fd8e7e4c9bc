import type { Instance } from "../../state/instance.ts";
import { refuseNeeded } from "./refuse-needed.ts";
import { withUnusedVolume } from "./unused-volume.ts";

/**
 * Removes a volume's file. Throws "not-found"; "in-use" for a file that a guest or another volume has; "denied" for anything
 * other than a file of a folder for images.
 */
export async function deleteVolume(
  instance: Instance,
  volume: { readonly key: string; readonly pool: string | undefined },
): Promise<{ readonly name: string; readonly path: string }> {
  return await withUnusedVolume(
    instance,
    { ...volume, attempt: "delete", operation: "vol deletion", readsPools: true },
    ({ facts: { id }, folder, name }) => {
      refuseNeeded(instance, { attempt: `delete ${id.path}`, file: id }, folder);
      instance.host.removeSame(id);
      return { name, path: id.path };
    },
  );
}
