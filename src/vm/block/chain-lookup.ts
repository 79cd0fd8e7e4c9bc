import { imagePath } from "../../domain/devices/disk/images.ts";
import { SvirtError } from "../../errors.ts";
import { fileKey } from "../../plan/facts/file-key.ts";
import type { Instance } from "../../state/instance.ts";
import type { RunningDisk, RunningImage } from "./running-disk.ts";

/**
 * Finds an image in a disk's chain by its path or by QEMU's number for it, `vda[3]`, below the image at
 * `above`. Returns its position. Throws "usage" with libvirt's message. virStorageSourceChainLookup()
 */
export function lookUpImage(
  instance: Instance,
  disk: RunningDisk,
  { above, name }: { readonly name: string; readonly above: number },
): number {
  const target = disk.disk.target.dev;
  const number = /^([a-z]+)\[(\d+)\]$/.exec(name);
  const at = disk.images.findIndex((image) =>
    number === null
      ? isAt(instance, image, name)
      : number[1] === target && numberOf(image) === Number(number[2]),
  );
  if (at > above) return at;
  const top = disk.images[Math.max(0, above)]?.found.path;
  const beneath = above < 0 ? "" : ` beneath '${top}'`;
  throw new SvirtError(
    `invalid argument: could not find image '${name}'${beneath} in chain for '${imagePath(disk.disk)}'`,
    {
      kind: "usage",
      from: "STORAGE",
      remedy: `Its images are: ${disk.images.map(({ found }) => found.path).join(", ")}`,
    },
  );
}

/** Compares by path, and by the file at the path. */
function isAt({ host }: Instance, { found }: RunningImage, name: string): boolean {
  if (found.path === name) return true;
  const there = name.startsWith("/") ? host.inspectFile(name) : undefined;
  return there !== undefined && fileKey(there.id) === fileKey(found.facts.id);
}

function numberOf({ layer }: RunningImage): number {
  return Number(/^libvirt-(\d+)-/.exec(layer.node)?.[1] ?? Number.NaN);
}
