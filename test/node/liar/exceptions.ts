import type { Exception } from "../isolation/exceptions.ts";

type Differs = (reason: string, ...ids: string[]) => Exception[];

const differs =
  (runs: Exception["runs"], verdict: Exception["verdict"]): Differs =>
  (reason, ...ids) =>
    ids.map((id) => ({ id, runs, verdict, reason }));

const allowed = differs(["kvm", "tcg"], "done");
const allowedAll = differs(["kvm", "tcg", "owner"], "done");
const allowedToOwner = differs(["owner"], "done");
const allowedInScene = differs(["kvm"], "done");

/** What a liar can do, and why that is so. One that has become untrue is a fault too. */
export const LIAR_EXCEPTIONS: readonly Exception[] = [
  ...allowed(
    "its folder is its own: it lets others see what is its own, and never what is another's",
    "folder.open",
  ),
  ...allowedAll(
    "the policy gives guests the right to lock what they were handed; QEMU is told not to, and svirt does not heed such locks",
    ...["shared", "base", "cdrom"].flatMap((role) => [
      `${role}.lock-ofd`,
      `${role}.lock-process`,
      `${role}.flock`,
    ]),
  ),
  ...allowedToOwner(
    "the policy gives guests setattr and lock on what they were handed, so an owner may; svirt puts mode and owner back at the end",
    "disk.setuid",
    "disk.setuid-by-name",
    "disk.open-to-all",
    "disk.times",
    "disk.attribute-user",
    "disk.access-list",
    "disk.no-dump",
    "disk.project",
    "shared.setuid",
    "shared.lease",
    "base.lease",
    "cdrom.lease",
  ),
  ...allowedAll(
    "the policy has no list of ioctls for block devices yet; what needs a capability is refused all the same",
    ...["move", "file", "size", "blocks", "direct", "set", "clear"].map((id) => `loop.${id}`),
    ...[
      "trace",
      "scsi",
      "scsi-old",
      "scsi-reset",
      "ata",
      "nvme",
      "nbd",
      "md",
      "reserve",
      "reserve-clear",
      "opal",
      "eject",
    ].map((id) => `block.${id}`),
    "block.mmc",
    "block.zone",
  ),
  ...allowedInScene(
    "pages of the host's cache in a pipe are no open file and no mapping: docs/threat-model.md",
    "keep.pages",
  ),
];
