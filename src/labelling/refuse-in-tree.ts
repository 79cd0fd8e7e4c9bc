import { SvirtError } from "../errors.ts";
import { fileKey } from "../plan/facts/file-key.ts";
import { type Instance, registryOf } from "../state/instance.ts";
import type { NamedFile } from "./original-label.ts";

/**
 * Throws "in-use" for a file in a folder shared by a guest: all files in it have the guest's label. `free`
 * holds folders without a sharing guest; the function adds to it.
 */
export function refuseInTree(
  instance: Instance,
  uuid: string,
  { facts, free = new Set(), named }: NamedFile & { readonly free?: Set<string> },
): void {
  const registry = registryOf(instance);
  for (const folder of foldersAbove(facts.id.path)) {
    if (free.has(folder)) continue;
    const id = instance.host.inspectFile(folder)?.id;
    const [other] = id === undefined ? [] : registry.listHolders("file", fileKey(id));
    if (other === undefined) {
      free.add(folder);
      continue;
    }
    const who = other.owner === uuid ? "this guest shares" : `the guest ${other.owner} shares`;
    throw new SvirtError(`Cannot give ${named} to the guest: ${who} ${folder} and all files in it`, {
      kind: "in-use",
      remedy: "Move the file to another folder, or end that guest.",
    });
  }
}

function foldersAbove(path: string): readonly string[] {
  const words = path.split("/").slice(1, -1);
  return words.map((_, at) => `/${words.slice(0, at + 1).join("/")}`);
}
