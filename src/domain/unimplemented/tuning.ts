import { nameInRemedy } from "../../xml/refusal.ts";
import type { Domain } from "../domain.ts";
import { LEAVE_OUT, once, type UnimplementedRule } from "./rule.ts";

/** Rules for elements outside `<devices>` not implemented by a start yet. */
export const UNIMPLEMENTED_TUNING: readonly UnimplementedRule[] = [
  rule("idmap", "map user IDs of containers", ({ idmap }) => idmap !== undefined),
  rule("perf", "enable performance events", ({ perf }) => perf !== undefined),
  rule("on_lockfailure", "use a lock manager", ({ onLockfailure }) => onLockfailure !== undefined),
  rule(
    "cputune/cachetune",
    "allocate processor cache (resctrl)",
    ({ cputune }) => (cputune?.cachetunes.length ?? 0) > 0,
  ),
  rule(
    "cputune/memorytune",
    "allocate memory bandwidth (resctrl)",
    ({ cputune }) => (cputune?.memorytunes.length ?? 0) > 0,
  ),
  rule(
    "resource/fibrechannel",
    "set a Fibre Channel VMID",
    ({ resource }) => resource?.fibrechannel !== undefined,
  ),
  {
    ...rule(
      "numatune/memory/@placement",
      "ask numad for a placement",
      ({ numatune }) => numatune?.memory?.placement === "auto",
    ),
    remedy: "Write placement='static' and nodeset='…'.",
  },
  {
    ...rule("vcpu/@placement", "ask numad for a placement", ({ vcpu }) => vcpu?.placement === "auto"),
    remedy: "Write placement='static'.",
  },
  {
    ...rule("cpu", "compare the guest's processor with the host's", ({ cpu }) => comparesProcessor(cpu)),
    remedy: "Write match='exact', without <vendor> and without policy='forbid'.",
  },
  {
    ...rule(
      "on_crash",
      "dump the guest's memory after a crash",
      ({ onCrash }) => onCrash?.startsWith("coredump") === true,
    ),
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
    ...rule("clock/@timezone", "set a time zone for QEMU", ({ clock }) => clock?.offset === "timezone"),
    remedy: "Write offset='localtime', which is the host's zone, and leave timezone out.",
  },
  {
    ...rule("vcpus", "hot-plug vCPUs during a start", ({ vcpus }) =>
      (vcpus?.list ?? []).some(({ enabled, hotpluggable }) => enabled && hotpluggable === true),
    ),
    remedy: "Write hotpluggable='no' for each <vcpu> that is enabled.",
  },
];

function rule(place: string, missing: string, isAsked: (domain: Domain) => boolean): UnimplementedRule {
  return {
    place: `/domain/${place}`,
    missing,
    remedy: nameInRemedy(LEAVE_OUT, `/domain/${place}`),
    findIn: (domain) => once(isAsked(domain)),
  };
}

/** Whether the guest may start on some processors only: libvirt checks that, QEMU does not. */
function comparesProcessor(cpu: Domain["cpu"]): boolean {
  if (cpu?.features.some(({ policy }) => policy === "forbid") === true) return true;
  return cpu?.mode === "custom" && (cpu.match === "strict" || cpu.vendor !== undefined);
}
