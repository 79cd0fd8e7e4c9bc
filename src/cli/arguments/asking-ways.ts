import { SvirtError } from "../../errors.ts";
import type { AskingWays } from "../../vm/lifecycle/power-off.ts";
import type { Call, Option } from "../command.ts";

/** Option for the ways to ask a guest for its power-off. */
export const MODE_OPTION: Option = {
  name: "mode",
  value: "MODE",
  summary:
    "acpi: press the power button, the default; agent: ask the agent in the guest; acpi,agent: the agent first",
};

/** Modes of virsh for other hypervisors, or that QEMU has not. cmdShutdown() of libvirt's virsh-domain.c */
const OTHERS = ["initctl", "signal", "paravirt"];

/** Returns the ways of --mode; undefined without it. Throws "usage" with virsh's message, "unsupported". */
export function askingWays({ options }: Pick<Call, "options">): AskingWays | undefined {
  const modes = options.get(MODE_OPTION.name)?.split(",");
  if (modes === undefined) return undefined;
  for (const mode of modes) refuseUnknown(mode);
  return { byAgent: modes.includes("agent"), byButton: modes.includes("acpi") };
}

function refuseUnknown(mode: string): void {
  if (mode === "acpi" || mode === "agent") return;
  const remedy = "Write --mode acpi, --mode agent, or --mode acpi,agent.";
  if (OTHERS.includes(mode)) {
    throw new SvirtError(`Operation not supported: QEMU's guests are not asked by ${mode}`, {
      kind: "unsupported",
      libvirt: "OPERATION_UNSUPPORTED",
      remedy,
    });
  }
  throw new SvirtError(
    `Unknown mode ${mode} value, expecting 'acpi', 'agent', 'initctl', 'signal', or 'paravirt'`,
    { kind: "usage", remedy },
  );
}
