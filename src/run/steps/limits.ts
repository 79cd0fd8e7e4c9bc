import { SvirtError } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import type { ControlValue, GuestGroup } from "../../plan/facts/limits.ts";
import type { ShareStep } from "../../plan/steps/host.ts";

type StepOf<Name extends ShareStep["do"]> = Extract<ShareStep, { do: Name }>;

const GROUP_MODE = 0o755;

/**
 * Makes a guest's control group, with its limits in it before anybody runs there. Its parent's own controllers are given
 * on one by one: what is given already is fine. Throws "host-call", "unsupported".
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

/** Gives a running guest other limits. Throws "host-call", "unsupported". */
export function changeLimits(host: Host, { controllers, group, limits }: StepOf<"set-limits">): void {
  giveOn(host, group, controllers);
  for (const { names, threads, value } of limits)
    setLimits(host, threads === undefined ? group : `${group}/${threads}`, [{ names, value }]);
}

/** What the groups beside that one are given too: given already is fine. */
function giveOn(host: Host, path: string, controllers: readonly string[]): void {
  const parent = path.slice(0, path.lastIndexOf("/"));
  host.makeFolder({ path: parent, mode: GROUP_MODE });
  for (const name of controllers) host.writeControl(`${parent}/cgroup.subtree_control`, `+${name}`);
}

/** Writes limits of a control group. Throws "unsupported" where the kernel has none of the files. */
function setLimits(host: Host, path: string, values: readonly ControlValue[]): void {
  for (const { names, value } of values) {
    const name = names.find((one) => host.readText(`${path}/${one}`) !== undefined);
    if (name === undefined) {
      throw new SvirtError(`Cannot limit the guest: the kernel has no ${names.join(" or ")}`, {
        kind: "unsupported",
        remedy: "Leave that limit out of its XML, or load the module that has it (bfq for weights of disks).",
      });
    }
    host.writeControl(`${path}/${name}`, value);
  }
}
