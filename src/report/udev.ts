import type { FileFacts } from "../host/files.ts";
import type { Host } from "../host/host.ts";
import { UDEV_RULES, udevRulePath } from "../plan/actions/udev-rule.ts";

/** Socket of systemd's running udevd. */
const CONTROL = "/run/udev/control";

/**
 * Returns whether udevd runs. It labels device nodes by policy when a device is added, triggered or changes
 * owner.
 */
function hasUdev(host: Host): boolean {
  return host.inspectFile(CONTROL)?.type === "socket";
}

/** Describes how this host keeps the labels of guests' device nodes. */
export function describeKeeper(host: Host): string {
  return hasUdev(host)
    ? `udevd runs: rules in ${UDEV_RULES} keep the labels of guests' devices`
    : "no udevd runs: the kernel's devtmpfs keeps the labels";
}

/**
 * Returns the rule that keeps the label of a guest's device node; undefined for other files and without
 * udevd.
 */
export function udevRuleFor(
  host: Host,
  facts: FileFacts,
  uuid: string,
): { readonly path: string; readonly type: "block" | "character" } | undefined {
  const { id, type } = facts;
  if ((type !== "block" && type !== "character") || !hasUdev(host)) return undefined;
  return { path: udevRulePath({ uuid, type, file: id }), type };
}
