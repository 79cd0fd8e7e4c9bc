import { SvirtError } from "../../errors.ts";
import type { FileAttributes } from "../../host/file-attributes.ts";
import type { Host } from "../../host/host.ts";
import type { Machine } from "../../label/machine.ts";
import { seenByOthers } from "../../label/seen-by-others.ts";
import type { FileId } from "../../plan/facts/file.ts";

// Rule: A mark of another machine on a file means that the file is held elsewhere.

/**
 * Each machine with guests on a file has its own attribute on it: none is lost when two are written at the
 * same time: `trusted.svirt.machine.ID`, with the boot and the host's name. If other machines may see a file
 * without `trusted.*`, as on NFS, the name is `user.svirt.machine.ID`. It counts only there, because any
 * writer of the file can set it.
 */
const TRUSTED = "trusted.svirt.machine.";
const USER = "user.svirt.machine.";
const LABEL = "security.selinux";
const MARK = /^(trusted|user)\.svirt\.machine\.([0-9a-f]{32})$/;

/** Value of `--machine` for a file without marks. */
export const UNKNOWN_MACHINE = "unknown";

/** Mark that a guest of a machine uses the file, or used it when the machine went down. */
export interface MachineMark extends Machine {
  readonly attribute: string;
  readonly bootId: string;
}

/** Open file and its identity. */
export interface MarkedFile {
  readonly id: FileId;
  readonly file: FileAttributes;
}

/**
 * Returns through which storage other machines may see a file's label; undefined if only this machine can.
 */
export function labelsSeenBy(host: Host, id: FileId): string | undefined {
  return seenByOthers(host.getStorage(id)).labels;
}

/** Returns the marks of all machines. */
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

/** Returns the marks of other machines. */
export function othersOf(host: Host, marks: readonly MachineMark[]): readonly MachineMark[] {
  const own = host.getMachine().id;
  return marks.filter(({ id }) => id !== own);
}

/**
 * Sets this machine's mark, if the file can keep it. On storage unseen by other machines, only root can set
 * it.
 */
export function setMachineMark(host: Host, { file, id }: MarkedFile): void {
  const machine = host.getMachine();
  const value = `${host.getBootId()} ${machine.name}`;
  if (host.getUid() === 0 && file.setXattr(TRUSTED + machine.id, value)) return;
  if (labelsSeenBy(host, id) !== undefined && keepsLabels(file)) file.setXattr(USER + machine.id, value);
}

/**
 * Reports whether a file has a label of its own. A file with its mount's label is refused and needs no mark.
 * The kernel answers before it checks permissions.
 */
export function keepsLabels(file: FileAttributes): boolean {
  const label = file.getXattr(LABEL);
  return label === undefined || file.setXattr(LABEL, `${label}\0`);
}

/** Removes marks. A missing mark is not an error. */
export function removeMachineMarks(file: FileAttributes, marks: readonly MachineMark[]): void {
  for (const { attribute } of marks) file.removeXattr(attribute);
}

/**
 * Returns the error for a file of other machines' guests. Its remedy applies once these machines are known to
 * be off.
 */
export function heldElsewhere(named: string, marks: readonly MachineMark[]): SvirtError {
  const machines = marks.map(({ id, name }) => `${name} (${id})`).join(", ");
  const [first] = marks;
  return new SvirtError(`Cannot label ${named}: another machine holds it, ${machines}`, {
    kind: "in-use",
    remedy: `Stop the guest there. If that machine is off: svirt label release ${named} --machine ${first?.id ?? ""}`,
  });
}
