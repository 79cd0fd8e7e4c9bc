import { withName } from "../../xml/refusal.ts";
import type { Domain } from "../domain.ts";
import { LEAVE_OUT, once, type UnimplementedRule } from "./rule.ts";

/** Rules for elements outside `<devices>` whose requests a start does not implement yet. */
export const UNIMPLEMENTED_TUNING: readonly UnimplementedRule[] = [
  rule("idmap", "map a guest's user numbers", ({ idmap }) => idmap !== undefined),
  rule("perf", "count a guest's events", ({ perf }) => perf !== undefined),
  rule("on_lockfailure", "take leases of a lock manager", ({ onLockfailure }) => onLockfailure !== undefined),
  rule(
    "cputune/cachetune",
    "share a processor's cache out",
    ({ cputune }) => (cputune?.cachetunes.length ?? 0) > 0,
  ),
  rule(
    "cputune/memorytune",
    "share memory's bandwidth out",
    ({ cputune }) => (cputune?.memorytunes.length ?? 0) > 0,
  ),
  rule(
    "resource/fibrechannel",
    "mark what a guest sends to a SAN",
    ({ resource }) => resource?.fibrechannel !== undefined,
  ),
  {
    ...rule(
      "numatune/memory/@placement",
      "ask numad",
      ({ numatune }) => numatune?.memory?.placement === "auto",
    ),
    remedy: "Write placement='static' and nodeset='…'.",
  },
  {
    ...rule("vcpu/@placement", "ask numad", ({ vcpu }) => vcpu?.placement === "auto"),
    remedy: "Write placement='static'.",
  },
  {
    ...rule("cpu", "compare the host's processor", ({ cpu }) => comparesProcessor(cpu)),
    remedy: "Write match='exact', without <vendor> and without policy='forbid'.",
  },
  {
    ...rule("on_crash", "dump a guest's memory", ({ onCrash }) => onCrash?.startsWith("coredump") === true),
    remedy: "Write <on_crash>destroy</on_crash>, or restart.",
  },
  {
    ...rule(
      "features/async-teardown",
      "let QEMU start a process",
      ({ features }) => features?.asyncTeardown?.enabled === true,
    ),
    remedy: "Write <async-teardown enabled='no'/>.",
  },
  {
    ...rule("os/type/@arch", "start a 32-bit PC", ({ os }) => os.type.arch === "i686"),
    remedy: "Write arch='x86_64'.",
  },
  {
    ...rule(
      "clock/@timezone",
      "give QEMU a time zone of its own",
      ({ clock }) => clock?.offset === "timezone",
    ),
    remedy: "Write offset='localtime', which is the host's zone, and leave timezone out.",
  },
  {
    ...rule("vcpus", "plug processors in", ({ vcpus }) =>
      (vcpus?.list ?? []).some(({ enabled, hotpluggable }) => enabled && hotpluggable === true),
    ),
    remedy: "Write hotpluggable='no' for each <vcpu> that is enabled.",
  },
];

function rule(place: string, missing: string, isAsked: (domain: Domain) => boolean): UnimplementedRule {
  return {
    place: `/domain/${place}`,
    missing,
    remedy: withName(LEAVE_OUT, `/domain/${place}`),
    findIn: (domain) => once(isAsked(domain)),
  };
}

/** Whether the guest may start on some processors only: libvirt checks that, QEMU does not. */
function comparesProcessor(cpu: Domain["cpu"]): boolean {
  if (cpu?.features.some(({ policy }) => policy === "forbid") === true) return true;
  return cpu?.mode === "custom" && (cpu.match === "strict" || cpu.vendor !== undefined);
}
