import type { Step } from "./step.ts";

/** Reports whether a step has mounted a folder above the path: all files there have the mount's label. */
export function isInOwnMount(done: readonly Step[], path: string): boolean {
  return done.some((step) => step.do === "mount-folder" && path.startsWith(`${step.path}/`));
}
