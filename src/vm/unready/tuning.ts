import type { Domain } from "../../domain/domain.ts";
import type { Unready } from "./unready.ts";

const LEAVE_OUT = "Leave it out.";

/** What the host would have to do for a guest's share of it, from processors to user numbers. */
const ACTS: ReadonlyMap<keyof Domain, string> = new Map<keyof Domain, string>([
  ["blkiotune", "limit a guest's use of disks"],
  ["memtune", "limit a guest's memory"],
  ["cputune", "schedule a guest's threads"],
  ["resource", "put a guest into a control group of its own"],
  ["idmap", "map a guest's user numbers"],
  ["perf", "count a guest's events"],
  ["onLockfailure", "take leases of a lock manager"],
]);

/** The elements that share the host out. */
export function listUnreadyTuning(domain: Domain): readonly Unready[] {
  const { vcpu, vcpus } = domain;
  const elements = [...ACTS].flatMap(([key, missing]) => {
    if (domain[key] === undefined) return [];
    return [{ place: `/domain/${NAMES.get(key) ?? key}`, missing, remedy: LEAVE_OUT }];
  });
  const { cpu, features, os } = domain;
  const plugged = (vcpus?.list ?? []).some(({ enabled, hotpluggable }) => enabled && hotpluggable === true);
  return [
    ...elements,
    ...(vcpu?.cpuset === undefined
      ? []
      : [{ place: "/domain/vcpu/@cpuset", missing: "pin a guest's threads", remedy: LEAVE_OUT }]),
    ...(vcpu?.placement === "auto"
      ? [{ place: "/domain/vcpu/@placement", missing: "ask numad", remedy: "Write placement='static'." }]
      : []),
    ...(comparesProcessor(cpu)
      ? [
          {
            place: "/domain/cpu",
            missing: "compare the host's processor",
            remedy: "Write match='exact' alone.",
          },
        ]
      : []),
    ...(domain.onCrash?.startsWith("coredump") === true
      ? [{ place: "/domain/on_crash", missing: "dump a guest's memory", remedy: "Write destroy or restart." }]
      : []),
    ...(features?.asyncTeardown?.enabled === true
      ? [{ place: "/domain/features/async-teardown", missing: "let QEMU start a process", remedy: LEAVE_OUT }]
      : []),
    ...(os.type.arch === "i686"
      ? [{ place: "/domain/os/type/@arch", missing: "start a 32-bit PC", remedy: "Write arch='x86_64'." }]
      : []),
    ...(plugged
      ? [{ place: "/domain/vcpus", missing: "plug processors in", remedy: "Write hotpluggable='no'." }]
      : []),
  ];
}

/** Those whose name in the XML is another one. */
const NAMES: ReadonlyMap<keyof Domain, string> = new Map<keyof Domain, string>([
  ["onLockfailure", "on_lockfailure"],
]);

/** Whether the guest may start on some processors only: QEMU does not look, and the reference does. */
function comparesProcessor(cpu: Domain["cpu"]): boolean {
  if (cpu?.features.some(({ policy }) => policy === "forbid") === true) return true;
  return cpu?.mode === "custom" && (cpu.match === "strict" || cpu.vendor !== undefined);
}
