import type { OpenFile } from "../../host/processes.ts";
import { isInstalled } from "../../label/protected-paths.ts";
import { fileKey } from "../../plan/facts/file-key.ts";
import { NETWORK_DEVICES } from "../../plan/paths.ts";
import { listQemuObjects } from "../../plan/record/qemu-objects.ts";
import { parseContextOrUndefined } from "../../selinux/context.ts";
import { pairOf } from "../../selinux/level.ts";
import type { Instance } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";
import { allSteps } from "../../state/shutoff-reason.ts";

/** Open file of a guest. */
export interface AuditedFile {
  readonly fd: number;
  readonly path: string;
  readonly label: string | undefined;
  /** Undefined: no fault. */
  readonly finding: string | undefined;
}

/** Devices open to every program: memory, terminals, /dev/kvm and similar. devices.txt of Linux */
const COMMON_DEVICE = /^(?:1|5|10|13[6-9]|14[0-3]):/;

/** Audits an open file. A guest without confinement may have any file open. */
export function auditFile(instance: Instance, guest: GuestRecord, file: OpenFile): AuditedFile {
  const { fd, label, target } = file;
  const finding =
    findWrongLabel(guest, file) ??
    (guest.label.label === undefined ? undefined : findForeign(instance, guest, file));
  return { fd, path: target, label, finding };
}

function findWrongLabel(guest: GuestRecord, { id, label }: OpenFile): string | undefined {
  const planned = allSteps(guest).find(
    (step) => step.do === "set-label" && id !== undefined && fileKey(step.file) === fileKey(id),
  );
  if (planned?.do === "set-label")
    return planned.to === label ? undefined : `should be labelled ${planned.to}`;
  const range = rangeOf(label);
  if (range === undefined || pairOf(range) === undefined || range === rangeOf(guest.label.label))
    return undefined;
  return `has the level of another guest`;
}

/** Reports a file neither passed by svirt, nor created by QEMU, nor readable by every program. */
function findForeign(
  instance: Instance,
  guest: GuestRecord,
  { id, label, target }: OpenFile,
): string | undefined {
  const range = rangeOf(label);
  if (range !== undefined && range === rangeOf(guest.label.label)) return undefined;
  // virtiofsd opens / with O_PATH. No guest can open it otherwise, since the policy lets none list it.
  if (isShared(guest, target) || target === "/") return undefined;
  if (id?.node !== undefined && COMMON_DEVICE.test(id.node)) return undefined;
  const passedFiles = [...listQemuObjects(allSteps(guest)).files.values()];
  if (id !== undefined && passedFiles.some((file) => fileKey(file) === fileKey(id))) return undefined;
  if (isMacvtap(instance, guest, id?.node)) return undefined;
  if (target === `${instance.paths.log}/${guest.name}.log` || isInstalled(target)) return undefined;
  return "is not one of the files that svirt gave to the guest";
}

/** Reports whether the node is that of the guest's macvtap. udevd may have given it the common label. */
function isMacvtap({ host }: Instance, guest: GuestRecord, number: string | undefined): boolean {
  return allSteps(guest).some((step) => {
    if (step.do !== "make-macvtap") return false;
    const folder = `${NETWORK_DEVICES}/${step.link.name}/macvtap`;
    const nodes = host.listFolder(folder).map((name) => host.readText(`${folder}/${name}/dev`)?.trim());
    return number !== undefined && nodes.includes(number);
  });
}

/**
 * Reports whether the file is in a folder that the guest shares: the host may have added files with other
 * labels.
 */
function isShared(guest: GuestRecord, target: string): boolean {
  return allSteps(guest).some(
    (step) => step.do === "share-tree" && `${target}/`.startsWith(`${step.folder.path}/`),
  );
}

function rangeOf(label: string | undefined): string | undefined {
  return label === undefined ? undefined : parseContextOrUndefined(label)?.range;
}
