import type { Exception } from "../isolation/exceptions.ts";

type Differs = (reason: string, ...ids: string[]) => Exception[];

const differs =
  (runs: Exception["runs"], verdict: Exception["verdict"]): Differs =>
  (reason, ...ids) =>
    ids.map((id) => ({ id, runs, verdict, reason }));

const allowedAll = differs(["kvm", "tcg", "owner"], "done");
const allowedInScene = differs(["kvm"], "done");

/** Attempts of a liar that succeed, with the reason. An outdated one is a fault too. */
export const LIAR_EXCEPTIONS: readonly Exception[] = [
  ...allowedAll(
    "a disk for SCSI commands (device='lun') has the label of any other; the kernel takes them of whole SCSI disks only",
    "block.scsi",
  ),
  ...allowedAll(
    "SCSI_IOCTL_SEND_COMMAND has the number of FIBMAP, for which the kernel asks getattr alone (selinux_file_ioctl)",
    "block.scsi-old",
  ),
  ...allowedInScene(
    "pages of the host's cache in a pipe are no open file and no mapping: docs/threat-model.md",
    "keep.pages",
  ),
];
