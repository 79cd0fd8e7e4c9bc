import type { Host } from "../host/host.ts";
import { parseContextOrUndefined } from "../selinux/context.ts";

/** The kernel quotes a context with a comma, as that of a pair of categories. show_sid() in security/selinux/hooks.c of Linux */
const CONTEXT = /[ ,]context="([^"]*)"/g;

/** Lists the ranges of mounts whose files have no labels of their own: they are those of one guest with a static label. */
export function rangesOfMounts(host: Host): readonly string[] {
  const mounts = host.readText("/proc/self/mountinfo") ?? "";
  return [...mounts.matchAll(CONTEXT)].flatMap(
    ([, context = ""]) => parseContextOrUndefined(context)?.range ?? [],
  );
}
