import { SvirtError } from "../../errors.ts";
import type { FileAttributes, Host } from "../../host/host.ts";
import type { Machine } from "../../label/machine.ts";
import { seenByOthers } from "../../label/seen-by-others.ts";
import type { FileId } from "../../plan/facts/file.ts";

/**
 * Each machine whose guests have a file has an attribute of its own on it, so that none is lost when two are written at once:
 * `trusted.svirt.machine.ID`, in it the boot and the host's name. Where other machines may see a file that keeps no
 * `trusted.*`, as on NFS, it is `user.svirt.machine.ID`, which counts only there: whoever may write to the file may set it.
 */
const TRUSTED = "trusted.svirt.machine.";
const USER = "user.svirt.machine.";
const LABEL = "security.selinux";
const MARK = /^(trusted|user)\.svirt\.machine\.([0-9a-f]{32})$/;

/** What `--machine` names for a file that no machine has marked. */
export const UNKNOWN_MACHINE = "unknown";

/** That a guest of a machine has the file, or had it when the machine went down. */
export interface MachineMark extends Machine {
  readonly attribute: string;
  readonly bootId: string;
}

/** A file that is open, and which it is. */
export interface MarkedFile {
  readonly id: FileId;
  readonly file: FileAttributes;
}

/** By what other machines may see a file's label; undefined where only this one can. */
export function labelsSeenBy(host: Host, id: FileId): string | undefined {
  return seenByOthers(host.getStorage(id)).labels;
}

/** The marks of all machines. */
export function readMachineMarks(
  host: Host,
  { file, id }: MarkedFile,
  names: readonly string[] = file.listXattrs(),
): readonly MachineMark[] {
  const found = names.flatMap((attribute) => {
    const [, space, machine] = MARK.exec(attribute) ?? [];
    return space === undefined || machine === undefined ? [] : [{ attribute, space, machine }];
  });
  const ofUser = found.some(({ space }) => space === "user") && labelsSeenBy(host, id) !== undefined;
  return found
    .filter(({ space }) => space === "trusted" || ofUser)
    .map(({ attribute, machine }) => {
      const [bootId = "", name = machine] = (file.getXattr(attribute) ?? "").split(" ");
      return { attribute, bootId, id: machine, name };
    });
}

/** Those of other machines. */
export function othersOf(host: Host, marks: readonly MachineMark[]): readonly MachineMark[] {
  const own = host.getMachine().id;
  return marks.filter(({ id }) => id !== own);
}

/** Sets this machine's mark, where the file can keep one. Only root's count on storage that no other machine sees. */
export function setMachineMark(host: Host, { file, id }: MarkedFile): void {
  const machine = host.getMachine();
  const value = `${host.getBootId()} ${machine.name}`;
  if (host.getUid() === 0 && file.setXattr(TRUSTED + machine.id, value)) return;
  if (labelsSeenBy(host, id) !== undefined && keepsLabels(file)) file.setXattr(USER + machine.id, value);
}

/**
 * Whether a file has a label of its own, not that of its mount. Such a file is refused, and need not be marked. The kernel says
 * so before it asks for rights.
 */
export function keepsLabels(file: FileAttributes): boolean {
  const label = file.getXattr(LABEL);
  return label === undefined || file.setXattr(LABEL, `${label}\0`);
}

/** Takes marks away. Missing is fine. */
export function removeMachineMarks(file: FileAttributes, marks: readonly MachineMark[]): void {
  for (const { attribute } of marks) file.removeXattr(attribute);
}

/** The error for a file that guests of other machines have, and the way out once they are known to be off. */
export function heldElsewhere(named: string, marks: readonly MachineMark[]): SvirtError {
  const machines = marks.map(({ id, name }) => `${name} (${id})`).join(", ");
  const [first] = marks;
  return new SvirtError(`Cannot label ${named}: another machine holds it, ${machines}`, {
    kind: "label-taken",
    remedy: `Stop the guest there. If that machine is off: svirt label release ${named} --machine ${first?.id ?? ""}`,
  });
}
