import type { Host } from "../../../host/host.ts";
import type { StepOf } from "../../../plan/steps/step.ts";
import { findIface, ifaceCommands, ifaceFor, listIfacesCommand } from "../../../storage/pool/iscsi/iface.ts";
import type { IscsiTarget } from "../../../storage/pool/iscsi/target.ts";

/** Target with the interface of its initiator, and the steps that make a missing interface. */
interface PlannedIface {
  readonly target: IscsiTarget;
  readonly steps: readonly StepOf<"prepare-login">[];
}

/** Returns a target with the interface of its initiator, which the steps make if it is missing. */
export async function planIface(host: Host, target: IscsiTarget): Promise<PlannedIface> {
  const { initiator, name, portal } = target;
  if (initiator === undefined) return { target, steps: [] };
  const known = await knownIface(host, initiator);
  if (known !== undefined) return { target: { ...target, iface: known }, steps: [] };
  const iface = ifaceFor(initiator);
  const commands = ifaceCommands(iface, initiator);
  const step = { do: "prepare-login", target: name, portal } as const;
  return {
    target: { ...target, iface },
    steps: [
      // It fails for an interface of a killed start.
      { ...step, words: [...commands.make], mayFail: true },
      { ...step, words: [...commands.name] },
    ],
  };
}

/** Returns a target with the interface of its initiator, if that is there; undefined if it is missing. */
export async function addKnownIface(host: Host, target: IscsiTarget): Promise<IscsiTarget | undefined> {
  const { initiator } = target;
  if (initiator === undefined) return target;
  const iface = await knownIface(host, initiator);
  return iface === undefined ? undefined : { ...target, iface };
}

async function knownIface(host: Host, initiator: string): Promise<string | undefined> {
  const listed = await host.readOutput(listIfacesCommand());
  return "text" in listed ? findIface(listed.text, initiator) : undefined;
}
