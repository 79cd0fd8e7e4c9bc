import { SvirtError } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import type { ControlValue, GuestGroup } from "../../plan/facts/limits.ts";
import type { StepOf } from "../../plan/steps/step.ts";

const GROUP_MODE = 0o755;

/**
 * Creates a guest's control group and sets its limits before a process runs there. Each controller is enabled
 * for the children of the parent; an already enabled controller is not an error. Throws "host-call",
 * "unsupported".
 */
export function makeGroup(host: Host, { controllers, path, threads, values }: GuestGroup): void {
  giveOn(host, path, controllers);
  host.makeFolder({ path, mode: GROUP_MODE });
  setLimits(host, path, values);
  for (const group of threads) {
    const below = `${path}/${group.name}`;
    host.makeFolder({ path: below, mode: GROUP_MODE });
    host.writeControl(`${below}/cgroup.type`, "threaded");
  }
  if (threads.length > 0) host.writeControl(`${path}/cgroup.subtree_control`, "+cpu");
  for (const group of threads) setLimits(host, `${path}/${group.name}`, group.values);
}

/** Changes the limits of a running guest. Throws "host-call", "unsupported". */
export function changeLimits(host: Host, { controllers, group, limits }: StepOf<"set-limits">): void {
  giveOn(host, group, controllers);
  for (const { names, threads, value } of limits)
    setLimits(host, threads === undefined ? group : `${group}/${threads}`, [{ names, value }]);
}

/** Enables controllers for a group and its neighbours. An already enabled controller is not an error. */
function giveOn(host: Host, path: string, controllers: readonly string[]): void {
  const parent = path.slice(0, path.lastIndexOf("/"));
  host.makeFolder({ path: parent, mode: GROUP_MODE });
  for (const name of controllers) host.writeControl(`${parent}/cgroup.subtree_control`, `+${name}`);
}

/** Writes limits of a control group. Throws "unsupported" if the kernel has none of the files. */
function setLimits(host: Host, path: string, values: readonly ControlValue[]): void {
  for (const { names, value } of values) {
    const name = names.find((one) => host.readText(`${path}/${one}`) !== undefined);
    if (name === undefined) {
      throw new SvirtError(`Cannot limit the guest: the kernel has no ${names.join(" or ")}`, {
        kind: "unsupported",
        remedy:
          "Remove that limit from its XML, or load the kernel module for it (bfq for weights of disks).",
      });
    }
    host.writeControl(`${path}/${name}`, value);
  }
}
