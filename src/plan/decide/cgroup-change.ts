import type { ChangedLimit, ControlValue, GuestGroup } from "../facts/limits.ts";

/** Defaults of the kernel's limits. cgroups(7) */
const DEFAULTS: ReadonlyMap<string, string> = new Map([
  ["cpu.max", "max 100000"],
  ["cpu.weight", "100"],
  ["memory.high", "max"],
  ["memory.max", "max"],
  ["memory.swap.max", "max"],
]);
const NO_DEVICE_LIMIT = "riops=max wiops=max rbps=max wbps=max";

/**
 * Returns the limits with a difference between two groups of a guest; undefined if `is` has groups of threads
 * missing in `was`. `allNodes`: the host's NUMA nodes, as a list.
 */
export function listChangedLimits(
  was: GuestGroup,
  is: GuestGroup,
  allNodes: string,
): ChangedLimit[] | undefined {
  const before = new Map(was.threads.map(({ name, values }) => [name, values]));
  if (is.threads.some(({ name }) => !before.has(name))) return undefined;
  const after = new Map(is.threads.map(({ name, values }) => [name, values]));
  return [
    ...changedIn({ threads: undefined, allNodes }, was.values, is.values),
    ...[...before].flatMap(([name, values]) =>
      changedIn({ threads: name, allNodes }, values, after.get(name) ?? []),
    ),
  ];
}

function changedIn(
  { allNodes, threads }: { readonly threads: string | undefined; readonly allNodes: string },
  was: readonly ControlValue[],
  is: readonly ControlValue[],
): ChangedLimit[] {
  const before = new Map(was.map((value) => [subjectOf(value), value]));
  const after = new Map(is.map((value) => [subjectOf(value), value]));
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((subject) => {
    const [old, fresh] = [before.get(subject), after.get(subject)];
    const known = fresh ?? old;
    if (known === undefined || old?.value === fresh?.value) return [];
    return [
      {
        ...(threads === undefined ? {} : { threads }),
        names: known.names,
        value: wholeValue(fresh ?? { ...known, value: resetValue(known, allNodes) }),
        before: wholeValue(old ?? { ...known, value: resetValue(known, allNodes) }),
      },
    ];
  });
}

/** Returns the name of the file, with the device if the file has a line per device. */
function subjectOf({ names, value }: ControlValue): string {
  const device = /^\d+:\d+ /.exec(value)?.[0] ?? "";
  return `${names.join(" ")} ${device}`;
}

function resetValue({ names, value }: ControlValue, allNodes: string): string {
  const [name = ""] = names;
  // The kernel accepts no empty list for a group with processes. linux kernel/cgroup/cpuset.c
  // validate_change()
  if (name === "cpuset.mems") return allNodes;
  const device = /^\d+:\d+ /.exec(value)?.[0];
  if (device !== undefined) return name === "io.max" ? `${device}${NO_DEVICE_LIMIT}` : `${device}default`;
  return DEFAULTS.get(name) ?? "default 100";
}

/** Returns all limits of a device, since the kernel keeps limits not named by a write. */
function wholeValue({ names, value }: ControlValue): string {
  if (names[0] !== "io.max") return value;
  const [device = "", ...words] = value.split(" ");
  const set = new Map(words.map((word) => [word.split("=")[0] ?? "", word]));
  return [
    device,
    ...NO_DEVICE_LIMIT.split(" ").map((word) => set.get(word.split("=")[0] ?? "") ?? word),
  ].join(" ");
}
