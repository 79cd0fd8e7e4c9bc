import { type CpuDescription, parseCpuDescription } from "../../../domain/other-documents/cpu-description.ts";
import type { Comparison } from "../../../qemu/cpu-model/compare.ts";
import {
  baselineGuestCpu,
  baselineHostCpu,
  compareGuestCpu,
  compareHostCpu,
  readCpus,
  refuseIncompatible,
} from "../../../vm/capabilities/cpu-models.ts";
import { array, struct, uint } from "../../xdr/form.ts";
import { aNumber, aText, maybeText, text } from "../objects.ts";
import { type Procedure, procedure } from "../procedure.ts";
import { guestType } from "./guest-type.ts";

/** virConnectCompareCPUFlags of libvirt's libvirt-host.h. svirt always validates. */
const [FAIL_INCOMPATIBLE, VALIDATE_XML] = [1, 2];
/** virConnectBaselineCPUFlags of libvirt 11.3's libvirt-host.h */
const [EXPAND_FEATURES, MIGRATABLE] = [1, 2];
/** virCPUCompareResult of libvirt's libvirt-host.h */
const RESULTS = { incompatible: 0, identical: 1, superset: 2 } as const;
/** REMOTE_CPU_BASELINE_MAX of libvirt's remote_protocol.x */
const MOST_CPUS = 256;

const kind = { emulator: maybeText, arch: maybeText, machine: maybeText, virttype: maybeText };

/** Procedures comparing processors. */
export const cpuModelProcedures: readonly Procedure[] = [
  procedure({
    number: 158,
    api: "virConnectCompareCPU",
    args: struct({ xml: text, flags: uint }),
    flags: { known: FAIL_INCOMPATIBLE | VALIDATE_XML, refusedBy: "qemuConnectCompareCPU" },
    result: aNumber,
    run: async ({ args, instance }) =>
      resultOf(await compareHostCpu(instance, described(args.xml)), args.flags),
  }),
  procedure({
    number: 162,
    api: "virConnectBaselineCPU",
    args: struct({ cpus: array(text, MOST_CPUS), flags: uint }),
    flags: { known: EXPAND_FEATURES | MIGRATABLE, refusedBy: "qemuConnectBaselineCPU" },
    result: aText,
    async run({ args: { cpus, flags }, instance }) {
      const { xml } = await baselineHostCpu(instance, await readCpus(instance, cpus), baselineOptions(flags));
      return { value: xml };
    },
  }),
  procedure({
    number: 393,
    api: "virConnectCompareHypervisorCPU",
    // libvirt would run the client's emulator: CVE-2019-10168.
    args: struct({ ...kind, xml: text, flags: uint }),
    flags: { known: FAIL_INCOMPATIBLE | VALIDATE_XML, refusedBy: "qemuConnectCompareHypervisorCPU" },
    result: aNumber,
    async run({ args: { flags, virttype, xml, ...of }, instance }) {
      const guests = { ...of, type: guestType(virttype) };
      return resultOf(await compareGuestCpu(instance, guests, described(xml)), flags);
    },
  }),
  procedure({
    number: 394,
    api: "virConnectBaselineHypervisorCPU",
    // As virConnectCompareHypervisorCPU().
    args: struct({ ...kind, cpus: array(text, MOST_CPUS), flags: uint }),
    flags: { known: EXPAND_FEATURES | MIGRATABLE, refusedBy: "qemuConnectBaselineHypervisorCPU" },
    result: aText,
    async run({ args: { cpus, flags, virttype, ...of }, instance }) {
      const guests = { ...of, type: guestType(virttype) };
      const options = { ...baselineOptions(flags), descriptions: await readCpus(instance, cpus) };
      return { value: (await baselineGuestCpu(instance, guests, options)).xml };
    },
  }),
];

function described(xml: string): CpuDescription {
  return parseCpuDescription(new TextEncoder().encode(xml));
}

function resultOf(comparison: Comparison, flags: number): { readonly value: number } {
  if ((flags & FAIL_INCOMPATIBLE) !== 0) refuseIncompatible(comparison);
  return { value: RESULTS[comparison.is] };
}

function baselineOptions(flags: number): { readonly isExpanded: boolean; readonly isMigratable: boolean } {
  return { isExpanded: (flags & EXPAND_FEATURES) !== 0, isMigratable: (flags & MIGRATABLE) !== 0 };
}
