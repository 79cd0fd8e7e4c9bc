import { SvirtError } from "../../errors.ts";
import type { Cpu } from "./cpu.ts";

/**
 * Models without a feature removed by libvirt. libvirt adds `policy='disable'` for it. src/cpu_map of libvirt
 * 11.3.0
 */
const WITHOUT_A_FEATURE: ReadonlySet<string> = new Set(
  (
    "Cascadelake-Server Cascadelake-Server-noTSX Dhyana EPYC EPYC-IBPB Icelake-Client Icelake-Client-noTSX Icelake-Server " +
    "Icelake-Server-noTSX Opteron_G3 Skylake-Client Skylake-Client-IBRS Skylake-Client-noTSX-IBRS Skylake-Server " +
    "Skylake-Server-IBRS Skylake-Server-noTSX-IBRS"
  ).split(" "),
);

/**
 * Refuses a definition whose processor VIR_DOMAIN_XML_UPDATE_CPU would change: libvirt replaces it by the
 * host's. Any other definition stays the same. Throws "unsupported". virCPUUpdate() and virCPUx86Update() of
 * libvirt
 */
export function refuseCpuUpdate(cpu: Cpu | undefined): void {
  const why = cpu === undefined ? undefined : reasonIn(cpu);
  if (why === undefined) return;
  throw new SvirtError(`argument unsupported: the processor is not updated: ${why}`, {
    kind: "unsupported",
    libvirt: "ARGUMENT_UNSUPPORTED",
    remedy: "Leave --update-cpu out, or see the host's processor: svirt domcapabilities",
  });
}

function reasonIn(cpu: Cpu): string | undefined {
  switch (cpu.mode) {
    case "host-passthrough":
    case "maximum":
      return undefined;
    case "host-model":
      return "/domain/cpu/@mode is host-model";
    case "custom":
      return customReason(cpu);
  }
}

function customReason({ features, match, model }: Extract<Cpu, { readonly mode: "custom" }>) {
  if (model === undefined) return undefined;
  if (match === "minimum") return "/domain/cpu/@match is minimum";
  const optional = features.find(({ policy }) => policy === "optional");
  if (optional !== undefined) return `/domain/cpu/feature "${optional.name}" is optional`;
  return WITHOUT_A_FEATURE.has(model.name) ? `/domain/cpu/model is ${model.name}` : undefined;
}
