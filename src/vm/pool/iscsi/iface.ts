import type { Host } from "../../../host/host.ts";
import { findIface, ifaceCommands, ifaceFor, listIfacesCommand } from "../../../storage/pool/iscsi/iface.ts";
import type { IscsiTarget } from "../../../storage/pool/iscsi/target.ts";
import { endOf, runCommand } from "./command.ts";

/**
 * Returns a target with the interface of its initiator, which is made if it is missing. Throws as
 * runCommand().
 */
export async function addNewIface(host: Host, target: IscsiTarget): Promise<IscsiTarget> {
  const { initiator } = target;
  if (initiator === undefined) return target;
  const known = await knownIface(host, initiator);
  if (known !== undefined) return { ...target, iface: known };
  const iface = ifaceFor(initiator);
  const { make, name } = ifaceCommands(iface, initiator);
  // It fails for an interface of a killed start.
  await endOf(host, { target, words: make });
  await runCommand(host, "log in to", { target, words: name });
  return { ...target, iface };
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
