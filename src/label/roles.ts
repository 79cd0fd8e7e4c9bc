import type { Resource } from "../domain/resources/resource.ts";
import { type RoleRow, row } from "./role.ts";

// Rule: The kind of a resource decides its role: private, folder, shared, content, kept or refused.

/** Files that no resource of the domain XML represents: svirt or QEMU adds them. */
type AddedFile =
  | "backing-image"
  | "block-job"
  | "guest-folder"
  | "saved-state"
  | "tpm-state"
  | "vfio-container";

/** Returns the use of a disk or a SCSI device by its XML: shareable wins over read-only, as in libvirt. */
export function useOfDisk(disk: {
  readonly shareable: boolean;
  readonly access: "read-only" | "read-write";
}): "shareable" | "read-only" | "read-write" {
  return disk.shareable ? "shareable" : disk.access;
}

/**
 * Central table of sVirt: kind of resource and its use by the guest -> role. A start, a hot-plug and a block
 * job decide labels only by this table; docs/labels.md is generated from it. A kind without a row does not
 * compile. libvirt security_selinux.c virSecuritySELinuxSetAllLabel()
 */
export const LABEL_ROLES = {
  disk: {
    "read-write": row(
      "private",
      "<disk>",
      "One guest writes it, and no other guest may read it. An external data file of a qcow2 image has the role of its image.",
    ),
    "read-only": row(
      "content",
      "<disk> with <readonly/>, CD-ROM",
      "Guests only read it, so several may use it at the same time.",
    ),
    shareable: row(
      "shared",
      "<disk> with <shareable/>",
      "Several guests write it, so no guest's categories can be on it. <shareable/> overrides <readonly/>.",
    ),
  },
  "backing-image": {
    "read-only": row(
      "content",
      "<backingStore>, or the header of the image above",
      "QEMU only reads an image below another, and guests share base images.",
    ),
  },
  "block-job": {
    "new-image": row(
      "private",
      "snapshot-create-as, blockcopy",
      "The new image becomes the disk that the guest writes.",
    ),
    "written-below": row(
      "private",
      "blockcommit",
      "A commit writes to the base: while it does, no other guest may use it.",
    ),
    "only-read": row(
      "content",
      "snapshot-create-as, blockcommit, blockpull",
      "The job has ended, and the image is only read from then on, like every backing image.",
    ),
  },
  loader: {
    "read-only": row("content", "<loader>", "Guests share the firmware's code and only read it."),
    "read-write": row("private", "<loader type='pflash' readonly='no'>", "The guest writes it."),
    installed: row(
      "host",
      "<loader> below /usr",
      "Firmware that a package installed keeps its label: every guest may read it as it is.",
    ),
  },
  nvram: {
    "read-write": row(
      "private",
      "<nvram>",
      "The firmware's variables are the guest's own. svirt creates a missing file from its template.",
    ),
  },
  "nvram-template": {
    "read-only": row("host", "<nvram template=...>", "svirt copies it. The guest never opens it."),
  },
  kernel: {
    "read-only": row("content", "<kernel>", "Guests share it and only read it."),
  },
  initrd: {
    "read-only": row("content", "<initrd>", "Guests share it and only read it."),
  },
  "boot-file": {
    "read-only": row(
      "content",
      "<shim>, <dtb>, <acpi><table>, <sysinfo type='fwcfg'><entry file=...>",
      "Guests share it and only read it.",
    ),
  },
  "shared-folder": {
    "read-write": row(
      "folder",
      "<filesystem>",
      "The folder and all below it are the guest's. Its type differs from that of disks, because a guest may change modes and owners in a folder, but not those of a disk.",
    ),
    "read-only": row(
      "content",
      "<filesystem> with <readonly/>",
      "Guests only read it, so several may share it.",
    ),
  },
  "tpm-state": {
    "read-write": row(
      "folder",
      "<tpm><backend type='emulator'>",
      "swtpm keeps the state of the guest's TPM there, and runs in the guest's context.",
    ),
  },
  "memory-file": {
    private: row(
      "private",
      "<memory model='nvdimm'>, <memory model='virtio-pmem'>, <pstore>",
      "It holds the guest's memory.",
    ),
    shareable: row("shared", "<shmem> with model ivshmem-plain", "Guests exchange data through it."),
  },
  "input-device": {
    "read-write": row(
      "private",
      "<input type='evdev'>, <input type='passthrough'>",
      "No other guest may read the keyboard of a guest.",
    ),
  },
  "usb-device": {
    "read-write": row("private", "<hostdev type='usb'>", "One guest has the device."),
  },
  "tpm-device": {
    "read-write": row(
      "private",
      "<tpm><backend type='passthrough'>",
      "A TPM holds secrets of the guest that has it.",
    ),
  },
  "tpm-cancel": {
    "read-write": row(
      "private",
      "<tpm><backend type='passthrough'>",
      "It cancels the commands of the TPM that the guest has.",
    ),
    missing: row(
      "host",
      "<tpm><backend type='passthrough'>",
      "A TPM without such a file: QEMU gets /dev/null, which stays the host's.",
    ),
  },
  "scsi-device": {
    "read-write": row(
      "private",
      "<hostdev type='scsi'>",
      "The guest sends commands to the device and writes it.",
    ),
    "read-only": row("content", "<hostdev type='scsi'> with <readonly/>", "Guests only read it."),
    shareable: row("shared", "<hostdev type='scsi'> with <shareable/>", "Several guests write it."),
  },
  "vfio-device": {
    "read-write": row(
      "private",
      "<hostdev type='pci'>, <hostdev type='mdev'>",
      "One guest has the devices of an IOMMU group.",
    ),
  },
  "vfio-container": {
    "read-write": row(
      "shared",
      "<hostdev type='pci'>, <hostdev type='mdev'>",
      "Every guest with such a device opens /dev/vfio/vfio, which leads to no device by itself.",
    ),
  },
  "vhost-scsi": {
    "read-write": row(
      "shared",
      "<hostdev type='scsi_host'>",
      "Every guest with such a device opens /dev/vhost-scsi.",
    ),
  },
  "sgx-device": {
    "read-write": row(
      "shared",
      "<memory model='sgx-epc'>",
      "The node gives each guest its own enclaves, so all guests that have enclaves share it.",
    ),
  },
  "chardev-file": {
    "read-write": row(
      "private",
      "<serial type='file'> and the other character devices",
      "No other guest may read the output of a guest.",
    ),
  },
  "chardev-log": {
    "read-write": row(
      "private",
      "<log file=...> of a character device",
      "No other guest may read the output of a guest.",
    ),
  },
  "chardev-device": {
    "read-write": row("private", "<serial type='dev'>", "One guest has the device."),
  },
  "chardev-pipe": {
    "read-write": row(
      "private",
      "<serial type='pipe'>",
      "No other guest may read the output of a guest or answer it.",
    ),
  },
  "chardev-socket": {
    "read-write": row(
      "private",
      "<channel type='unix'><source mode='bind'>",
      "svirt creates the socket on behalf of the guest.",
    ),
  },
  "guest-socket": {
    "read-write": row(
      "private",
      "<interface type='vhostuser'><source mode='server'>",
      "QEMU creates the socket in the guest's folder.",
    ),
  },
  "vnc-socket": {
    "read-write": row(
      "refused",
      "<graphics type='vnc'><listen type='socket'>",
      "QEMU would create the socket in a place where svirt labels no files.",
    ),
  },
  "peer-socket": {
    exclusive: row("private", "sockets that a device connects to", "Another program serves one guest there."),
    shared: row(
      "shared",
      "<rng> with an EGD server, <disk type='network'> that is shareable or read-only",
      "The program serves several guests.",
    ),
  },
  "random-device": {
    "read-only": row(
      "host",
      "<rng><backend model='random'>",
      "The policy lets every guest read /dev/random and /dev/urandom as they are.",
    ),
  },
  "guest-folder": {
    "read-write": row("private", "every guest", "The guest's run-time folder, and links and sockets in it."),
  },
  "saved-state": {
    "read-write": row(
      "private",
      "save, managedsave, dump, screenshot",
      "A pipe carries the guest's memory between QEMU and svirt. QEMU opens no file.",
    ),
  },
  unopened: {
    "read-write": row(
      "refused",
      "see docs/domain-xml",
      "QEMU would open it by name, and svirt has not labelled it.",
    ),
  },
  "host-file": {
    "read-write": row(
      "refused",
      "<disk type='dir'>, keys and data files of disks on the network",
      "svirt does not label it.",
    ),
  },
  "host-device": {
    "read-write": row("refused", "<disk type='vhostvdpa'>", "svirt does not label it."),
  },
  "host-socket": {
    "read-write": row("refused", "sockets of a disk's server or <reservations>", "svirt does not label it."),
  },
} satisfies Record<Resource["kind"] | AddedFile, Readonly<Record<string, RoleRow>>>;
