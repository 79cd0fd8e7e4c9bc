import type { FileFacts, Host } from "../host/host.ts";
import { UDEV_RULES, udevRulePath } from "../plan/actions/udev-rule.ts";

/** The socket of systemd's udevd, there as long as it runs. */
const CONTROL = "/run/udev/control";

/** Whether udevd runs: it labels device nodes by policy whenever a device is added, triggered anew or changes owner. */
function hasUdev(host: Host): boolean {
  return host.inspectFile(CONTROL)?.type === "socket";
}

/** What keeps the labels of guests' device nodes on this host, for a person. */
export function describeKeeper(host: Host): string {
  return hasUdev(host)
    ? `udevd runs: a rule in ${UDEV_RULES} keeps the label of each that a guest has`
    : "no udevd runs: the kernel's devtmpfs keeps them, and nothing else sets them";
}

/** The rule that is to keep the label of a guest's device node; undefined for any other file, and where no udevd runs. */
export function udevRuleFor(
  host: Host,
  facts: FileFacts,
  uuid: string,
): { readonly path: string; readonly type: "block" | "character" } | undefined {
  const { id, type } = facts;
  if ((type !== "block" && type !== "character") || !hasUdev(host)) return undefined;
  return { path: udevRulePath({ uuid, type, file: id }), type };
}
