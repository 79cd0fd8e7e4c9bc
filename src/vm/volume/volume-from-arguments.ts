import type { Instance } from "../../state/instance.ts";
import { parseVolume, type Volume } from "../../storage/volume/document.ts";
import { volumeOfArguments } from "../../storage/volume/volume-without-xml.ts";
import type { NewVolumeArguments } from "./describe-volume.ts";

/**
 * Returns the volume that arguments describe, as its XML would. Throws as describeNewVolume() and
 * parseVolume().
 */
export async function volumeFromArguments(
  instance: Instance,
  pool: string,
  words: NewVolumeArguments,
): Promise<Volume> {
  const plain = words.backingVolume === undefined ? volumeOfArguments(words) : undefined;
  if (plain !== undefined) return plain;
  const { describeNewVolume }: typeof import("./describe-volume.ts") = require("./describe-volume.ts");
  return parseVolume(new TextEncoder().encode(await describeNewVolume(instance, pool, words)));
}
