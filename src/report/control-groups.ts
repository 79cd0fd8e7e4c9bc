import type { Host } from "../host/host.ts";

const ROOT = "/sys/fs/cgroup";

/** Mount point of control groups, and the controllers enabled below the root. cgroups(7) */
export interface ControlGroups {
  readonly root: string;
  readonly controllers: ReadonlySet<string>;
}

/**
 * Returns the control groups that svirt can use. Undefined if none are mounted for writing, or svirt is not
 * root.
 */
export function readControlGroups(host: Host): ControlGroups | undefined {
  if (host.getUid() !== 0 || !isMounted(host.readText("/proc/self/mounts") ?? "")) return undefined;
  return { root: ROOT, controllers: readControllers(host, `${ROOT}/cgroup.subtree_control`) };
}

/** Reads the controllers listed in a file of a control group. */
export function readControllers(host: Host, path: string): ReadonlySet<string> {
  return new Set((host.readText(path) ?? "").trim().split(" ").filter(Boolean));
}

/** Decides by the last mount. proc_pid_mounts(5) */
function isMounted(mounts: string): boolean {
  const found = mounts.split("\n").findLast((line) => line.split(" ")[1] === ROOT);
  const [, , type, options = ""] = found?.split(" ") ?? [];
  return type === "cgroup2" && options.split(",").includes("rw");
}
