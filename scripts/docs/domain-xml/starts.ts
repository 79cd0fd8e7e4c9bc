import type { DevicePage } from "./page-names.ts";

/** Refusal without a rule for its place. A reason follows the colon in `missing`. */
interface OtherRefusal {
  readonly place: string;
  readonly missing: string;
}

/** Effect of a start on the elements of a page, and refusals besides the rules of the source. */
interface StartNote {
  /** "" if a start refuses them in any case. */
  readonly takes: string;
  readonly others?: readonly OtherRefusal[];
}

const ROM: OtherRefusal = { place: "rom/@file", missing: "open a ROM" };

/**
 * Effect of a start on each page's elements, in the order of libvirt's documentation. Every family of devices
 * is present.
 */
export const STARTS: Readonly<Record<string, StartNote>> & Readonly<Record<DevicePage, StartNote>> = {
  domain: {
    takes:
      "Names the guest and its UUID. Actions on power-off, reboot and crash are carried out from QEMU's exit status: there is no daemon.",
  },
  memory: { takes: "Sets the guest's memory and its limit." },
  "memory-backing": {
    takes:
      "Allocates memory, also in huge pages and in files; a file is in the guest's folder and has the guest's label.",
  },
  vcpu: { takes: "Sets the number of vCPUs and pins them." },
  iothreads: { takes: "Creates the threads." },
  throttlegroups: { takes: "Creates the groups in QEMU." },
  cputune: {
    takes: "Sets CPU weight and quotas by control groups, affinity and schedulers by system calls.",
  },
  numatune: { takes: "Binds the guest's memory to the host's NUMA nodes." },
  tuning: {
    takes:
      "`blkiotune` and `memtune` become limits of the guest's control group, which is made in the partition that `resource` names.",
  },
  sysinfo: { takes: "Gives the values to the guest as SMBIOS tables or by fw_cfg." },
  os: {
    takes:
      "Boots by BIOS or UEFI, chosen by name or by path, or a kernel. Firmware keeps its label or is content; its variables are the guest's own file; kernels are content.",
  },
  features: { takes: "Sets the features of the machine and of Hyper-V." },
  cpu: { takes: "Sets the processor's model, features, topology and NUMA cells." },
  clock: { takes: "Sets the clock and its timers." },
  pm: { takes: "Sets the sleep states that the firmware offers." },
  seclabel: {
    takes:
      "Confines the guest by SELinux: a dynamic label by default, or a static one. `type='none'` needs the administrator's permission. Any other model is refused.",
  },
  "launch-security": {
    takes: "",
    others: [{ place: "", missing: "open /dev/sev" }],
  },
  "qemu-commandline": { takes: "" },
  devices: { takes: "Sets QEMU's path." },
  "devices/disk": {
    takes:
      "Opens and labels images in files, volumes of storage pools, block devices and NVMe controllers (raw and qcow2) and passes descriptors to QEMU. Connects vhost-user and NBD sockets. QEMU itself connects to storage by TCP, in an SELinux domain for it. Passphrases of LUKS and passwords of RBD, iSCSI and web servers are values of secrets.",
  },
  "devices/controller": { takes: "Creates the controller." },
  "devices/lease": { takes: "" },
  "devices/filesystem": {
    takes: "Labels a folder with its content for the guest; QEMU (9p) or a confined virtiofsd serves it.",
  },
  "devices/network": {
    takes:
      "Creates taps, macvtaps and their connection to a bridge, and passes descriptors to QEMU. A packet filter is one of those that libvirt installs; limits are set at the tap. An active network's name means its bridge, or a macvtap on one of its devices. User networking runs in QEMU, in an SELinux domain for it.",
    others: [
      ROM,
      { place: "script", missing: "run a script: it would be a program with root's rights" },
      { place: "downscript", missing: "run a script: it would be a program with root's rights" },
    ],
  },
  "devices/smartcard": { takes: "" },
  "devices/chardev": {
    takes:
      "Opens terminals, files, devices and pipes, makes listening Unix sockets and connects to those of other programs, each by descriptor.",
  },
  "devices/input": {
    takes: "Creates the device; an evdev node of the host is opened by QEMU and has the guest's label.",
  },
  "devices/tpm": {
    takes:
      "Passes a TPM of the host by descriptor, starts swtpm as the guest's user in the guest's context, or connects to an external swtpm.",
    others: [{ place: "backend/source", missing: "use a state whose place the XML gives" }],
  },
  "devices/graphics": {
    takes:
      "Listens on VNC's TCP port itself and passes the socket to QEMU, or has QEMU listen on a Unix socket in the guest's folder.",
    others: [
      {
        place: "listen/@socket",
        missing:
          "make a VNC socket outside of the guest's folder: a confined QEMU may make sockets nowhere else",
      },
    ],
  },
  "devices/sound": { takes: "Creates the card; `audio` says where its sound goes." },
  "devices/audio": {
    takes: "Takes `type='none'`: the guest has a card, and the host plays nothing.",
  },
  "devices/video": {
    takes: "Creates the graphics card.",
    others: [{ place: "model/acceleration/@rendernode", missing: "open a render node" }],
  },
  "devices/hostdev": {
    takes:
      "Passes PCI and mediated devices (VFIO), USB devices, SCSI devices and vhost-scsi. Their nodes have the guest's label, or one that guests share.",
    others: [ROM],
  },
  "devices/redirdev": { takes: "" },
  "devices/hub": { takes: "Creates the hub." },
  "devices/watchdog": { takes: "Creates the watchdog." },
  "devices/memballoon": { takes: "Creates the balloon." },
  "devices/rng": {
    takes: "Opens the host's random device, or connects to an entropy daemon's Unix socket, by descriptor.",
  },
  "devices/panic": { takes: "Creates the device." },
  "devices/shmem": {
    takes: "Creates shared memory in /dev/shm with a label that guests share (`ivshmem-plain`).",
    others: [{ place: "model", missing: "connect to an ivshmem server" }],
  },
  "devices/iommu": { takes: "Creates the IOMMU." },
  "devices/vsock": { takes: "" },
  "devices/crypto": { takes: "Creates the device with QEMU's built-in backend." },
  "devices/pstore": { takes: "Opens its file, which has the guest's label." },
  "devices/memory": {
    takes: "Creates the memory device; the nodes of SGX have a label that guests share.",
  },
};

/** Refusals by `define`, `create` and a start that have no rule of their own: place, reason, remedy. */
export const REFUSED_DEFINITIONS: readonly (readonly [place: string, why: string, remedy: string])[] = [
  [
    "/domain/qemu:commandline",
    "svirt cannot know which files raw QEMU arguments open, so it cannot label them",
    "Leave it out.",
  ],
  [
    "/domain/devices/graphics/@passwd",
    "svirt stores no passwords in a definition",
    "Leave it out, and use a socket and SSH.",
  ],
];
