import { SvirtError } from "../../errors.ts";
import type { Network } from "../forms/network.ts";

/** Kinds of edits. virNetworkUpdateCommand of libvirt */
export const UPDATE_COMMANDS = ["modify", "delete", "add-last", "add-first"] as const;
export type UpdateCommand = (typeof UPDATE_COMMANDS)[number];
type AddCommand = Extract<UpdateCommand, `add-${string}`>;

/** Whether the command adds an entry. */
export function isAdd(command: UpdateCommand): command is AddCommand {
  return command === "add-first" || command === "add-last";
}

/** Returns the list with another entry, at its start or end. */
export function insertEntry<T>(all: readonly T[], one: T, command: AddCommand): readonly T[] {
  return command === "add-first" ? [one, ...all] : [...all, one];
}

/** Returns the list without an entry. */
export function withoutEntry<T>(all: readonly T[], at: number): readonly T[] {
  return all.toSpliced(at, 1);
}

/** Returns the list with an entry replaced. */
export function replaceEntry<T>(all: readonly T[], at: number, one: T): readonly T[] {
  return all.with(at, one);
}

/** Returns the refusal of an edit that contradicts the network, in libvirt's words. */
export function invalidEdit({ name }: Network, what: string): SvirtError {
  return new SvirtError(`Requested operation is not valid: ${what}`, {
    kind: "wrong-state",
    from: "NETWORK",
    remedy: `Look at the network's entries: svirt net-dumpxml ${name}`,
  });
}

/** Returns the refusal of an edit that libvirt does not make, in its words. */
export function unsupportedEdit(what: string, remedy: string): SvirtError {
  return new SvirtError(`Operation not supported: ${what}`, {
    kind: "unsupported",
    libvirt: "OPERATION_UNSUPPORTED",
    from: "NETWORK",
    remedy,
  });
}

/** Remedy for an entry with additions and deletions only. */
export const DELETE_AND_ADD = "Delete the entry, and add the new one.";
