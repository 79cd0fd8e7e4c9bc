import type { Host } from "../host/host.ts";

const ROOT = "/sys/fs/cgroup";

/** Where control groups are, and what the groups below the root are given. cgroups(7) */
export interface ControlGroups {
  readonly root: string;
  readonly controllers: ReadonlySet<string>;
}

/** Those that svirt can use; undefined where none are mounted to be written to, or svirt is not root. */
export function readControlGroups(host: Host): ControlGroups | undefined {
  if (host.getUid() !== 0 || !isMounted(host.readText("/proc/self/mounts") ?? "")) return undefined;
  return { root: ROOT, controllers: readControllers(host, `${ROOT}/cgroup.subtree_control`) };
}

/** The controllers that a file of a control group names. */
export function readControllers(host: Host, path: string): ReadonlySet<string> {
  return new Set((host.readText(path) ?? "").trim().split(" ").filter(Boolean));
}

/** The last mount counts. proc_pid_mounts(5) */
function isMounted(mounts: string): boolean {
  const found = mounts.split("\n").findLast((line) => line.split(" ")[1] === ROOT);
  const [, , type, options = ""] = found?.split(" ") ?? [];
  return type === "cgroup2" && options.split(",").includes("rw");
}
