import type { TreeStep } from "./tree.ts";

/** Reports whether a step is a TreeStep. */
export function isTreeStep(step: { readonly do: string }): step is TreeStep {
  return step.do === "share-tree" || step.do === "unshare-tree";
}

/** Returns the inverse of a step; undefined if it has none. */
export function inverseTree(done: TreeStep): TreeStep | undefined {
  return done.do === "share-tree" ? { ...done, do: "unshare-tree" } : undefined;
}
