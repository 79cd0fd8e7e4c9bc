import type { TreeStep } from "./tree.ts";

/** Describes the step in one line. */
export function describeTree({ access, do: what, folder, from, to, uid }: TreeStep): string {
  const own = from ?? "(no label)";
  if (what === "share-tree") {
    const labels = to === undefined ? "its labels kept" : `${own} -> ${to}`;
    return `share ${folder.path} and all below it with uid ${uid} (${access}): ${labels}`;
  }
  const labels = to === undefined ? "its labels kept" : `${to} -> ${own}, or what an entry remembers`;
  return `share ${folder.path} and all below it with uid ${uid} no more: ${labels}`;
}
