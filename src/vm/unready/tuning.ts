import type { Domain } from "../../domain/domain.ts";
import type { Unready } from "./unready.ts";

const LEAVE_OUT = "Leave it out.";

/** What the host would have to do besides. */
const ACTS: ReadonlyMap<keyof Domain, string> = new Map<keyof Domain, string>([
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
    ...listShares(domain),
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

/** What no control group does. */
function listShares({ cputune, numatune, resource }: Domain): readonly Unready[] {
  const at = (isAsked: boolean, place: string, missing: string): readonly Unready[] =>
    isAsked ? [{ place: `/domain/${place}`, missing, remedy: LEAVE_OUT }] : [];
  return [
    ...at((cputune?.cachetunes.length ?? 0) > 0, "cputune/cachetune", "share a processor's cache out"),
    ...at((cputune?.memorytunes.length ?? 0) > 0, "cputune/memorytune", "share memory's bandwidth out"),
    ...at(resource?.fibrechannel !== undefined, "resource/fibrechannel", "mark what a guest sends to a SAN"),
    ...at(numatune?.memory?.placement === "auto", "numatune/memory/@placement", "ask numad"),
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
