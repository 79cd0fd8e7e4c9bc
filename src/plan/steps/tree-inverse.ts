import type { TreeStep } from "./tree.ts";

/** Whether a step is one of these. */
export function isTreeStep(step: { readonly do: string }): step is TreeStep {
  return step.do === "share-tree" || step.do === "unshare-tree";
}

/** The step that takes such a step back; undefined where there is nothing to take back. */
export function inverseTree(done: TreeStep): TreeStep | undefined {
  return done.do === "share-tree" ? { ...done, do: "unshare-tree" } : undefined;
}
