import type { Instance } from "../../state/instance.ts";
import { decideResize, type Resize } from "../../storage/volume/resized-volume.ts";
import { refuseNeeded } from "./refuse-needed.ts";
import { withUnusedVolume } from "./unused-volume.ts";
import { readVolumeImage } from "./volume-image.ts";

/**
 * Sets the capacity of a raw volume, and returns its name. Throws "not-found"; "in-use" for a volume that a guest uses, or, to
 * shrink it, that a definition or another volume has; "usage", "unsupported", "denied".
 */
export async function resizeVolume(
  instance: Instance,
  volume: { readonly key: string; readonly pool: string | undefined },
  resize: Resize,
): Promise<string> {
  const operation = "changing of volume capacity";
  return await withUnusedVolume(
    instance,
    { ...volume, attempt: "resize", operation },
    ({ facts, folder, name }) => {
      const { capacityBytes = facts.sizeBytes, format } = readVolumeImage(instance.host, facts);
      const { allocatedBytes: allocationBytes, id } = facts;
      const { reservedBytes, sizeBytes } = decideResize(
        { name, format, capacityBytes, allocationBytes },
        resize,
      );
      if (sizeBytes < capacityBytes)
        refuseNeeded(instance, { attempt: `shrink ${id.path}`, file: id }, folder);
      instance.host.resizeFile(id, sizeBytes, reservedBytes);
      return name;
    },
  );
}
