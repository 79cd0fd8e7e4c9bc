import { formatRange, listRanges } from "../../domain/forms/id-set.ts";
import type { ChangedLimit, GuestGroup, ThreadSettings } from "./limits.ts";

/** Describes a guest's control group and its limits in a line. */
export function describeGroup({ path, threads, values }: GuestGroup): string {
  const groups = [{ name: "", values }, ...threads];
  const limits = groups.flatMap(({ name, values: own }) =>
    own.map((limit) => `${name === "" ? "" : `${name}/`}${limit.names[0]} ${limit.value}`),
  );
  return `create control group ${path}${limits.length === 0 ? "" : ` (${limits.join(", ")})`}`;
}

/** Describes the new limits of a running guest. */
export function describeLimits(change: {
  readonly group: string;
  readonly limits: readonly ChangedLimit[];
}): string {
  const words = change.limits.map(({ names, threads, value }) => {
    const folder = threads === undefined ? "" : `${threads}/`;
    return `${folder}${names[0]} to ${value}`;
  });
  return `${words.join(", ")} in control group ${change.group}`;
}

/** Describes the group, CPUs and scheduler of a thread. */
export function describeThreadSettings(options: ThreadSettings): string {
  const { cpus, group, scheduler } = options;
  const facts = [
    ...(group === undefined ? [] : [`into ${group}`]),
    ...(cpus === undefined ? [] : [`on CPUs ${listRanges(cpus).map(formatRange).join(",")}`]),
    ...(scheduler === undefined ? [] : [`as ${scheduler.policy} ${scheduler.priority}`]),
  ];
  return `${nameThread(options)} ${facts.join(" ")}`;
}

/** Returns the name of a thread, such as `vcpu 0`. */
export function nameThread({ number, thread }: Pick<ThreadSettings, "thread" | "number">): string {
  return number === undefined ? thread : `${thread} ${number}`;
}
