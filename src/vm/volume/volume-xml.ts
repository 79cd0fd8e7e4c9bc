import { SvirtError } from "../../errors.ts";
import type { Instance } from "../../state/instance.ts";
import { formatVolume } from "../../storage/volume/document.ts";
import { showVolumeOf } from "./show-volume.ts";

/**
 * Characters that XML does not allow or svirt does not read. A file's name may have any byte but two, and a
 * guest writes the name of a backing file into its image.
 */
const NO_XML = /[\p{Cc}\p{Cs}\ufffe\uffff]/u;

/**
 * Returns the XML of a volume, as showVolumeOf() finds it. Throws "unsupported" for a name that XML cannot
 * have, and its errors.
 */
export async function getVolumeXml(
  instance: Instance,
  key: string,
  pool: string | undefined,
): Promise<string> {
  const volume = await showVolumeOf(instance, key, pool);
  const { backingStore, key: shownKey, name } = volume;
  const found = [name, shownKey ?? "", backingStore?.path ?? ""].find((text) => NO_XML.test(text));
  if (found === undefined) return formatVolume(volume);
  const why = found.isWellFormed() ? "has a control character" : "is not UTF-8";
  throw new SvirtError(`Cannot write ${found} as XML: the name ${why}`, {
    kind: "unsupported",
    remedy: "Rename the file, or use --json.",
  });
}
