/** An instance and its folders. docs/state.md describes their content. */
export interface Paths {
  /** libvirt's term: `system` is root's, `session` an ordinary user's own. */
  readonly instance: "system" | "session";
  /** Definitions and settings: `/etc/svirt`. */
  readonly config: string;
  /** State of a boot: `/run/svirt`. */
  readonly run: string;
  /** Records and claims of guests; outlives a boot if it is on a disk: `/var/lib/svirt`. */
  readonly state: string;
  /** A log per guest: `/var/log/svirt`. */
  readonly log: string;
}

/** Network devices in svirt's network namespace. sysfs(5) */
export const NETWORK_DEVICES = "/sys/class/net";

/** Paths of the privileged instance. */
export const SYSTEM_PATHS: Paths = {
  instance: "system",
  config: "/etc/svirt",
  run: "/run/svirt",
  state: "/var/lib/svirt",
  log: "/var/log/svirt",
};

/** Paths of a guest. */
export interface GuestPaths {
  readonly record: string;
  readonly lock: string;
  /** Files of svirt: monitor, process number, exit status. */
  readonly folder: string;
  /** The guest's working folder, with its image label. */
  readonly workFolder: string;
  readonly monitor: string;
  /** QEMU's second monitor, for clients waiting for its events. */
  readonly events: string;
  /** QEMU's process number, written by its reaper. */
  readonly pid: string;
  readonly exit: string;
}

/** Returns the paths of the guest with the UUID. */
export function guestPaths(paths: Paths, uuid: string): GuestPaths {
  const folder = `${paths.run}/${uuid}`;
  return {
    record: `${recordsFolder(paths)}/${uuid}.json`,
    lock: `${paths.run}/locks/${uuid}`,
    folder,
    workFolder: `${folder}/guest`,
    monitor: `${folder}/monitor.sock`,
    events: `${folder}/events.sock`,
    pid: `${folder}/pid`,
    exit: `${folder}/exit`,
  };
}

/** Returns the folder of records: a record for each guest starting, running or not cleaned up. */
export function recordsFolder(paths: Paths): string {
  return `${paths.state}/records`;
}

/** Returns the path of the lock for choosing levels and for changing claims and labels. */
export function registryLock(paths: Paths): string {
  return `${paths.run}/locks/registry`;
}

/** Returns the path of the lock for writing notes about domains. */
export function notesLock(paths: Paths): string {
  return `${paths.run}/locks/domain-notes`;
}

/** Returns the path of the lock for writing the reports of a guest's QEMU. */
export function reportsLock(paths: Paths, uuid: string): string {
  return deviceLock(paths, uuid, "reports");
}

/** Returns the path of the lock for logging in to an iSCSI target and out of it. */
export function targetLock(paths: Paths, target: string): string {
  return `${paths.run}/locks/iscsi-${target}`;
}

/** Returns the path of the lock for activating a volume group of LVM and deactivating it. */
export function groupLock(paths: Paths, group: string): string {
  return `${paths.run}/locks/volume-group-${group}`;
}

/** Returns the path of the lock of a note of unfinished work. */
export function unfinishedLock(paths: Paths, id: string): string {
  return `${paths.run}/locks/unfinished-${id}`;
}

/** Returns the folder of the locks of PCI devices. */
export function pciLocksFolder(paths: Paths): string {
  return `${paths.run}/locks/pci`;
}

/**
 * Returns the path of the lock for changing the driver of the PCI device with that address, or resetting it.
 */
export function pciLock(paths: Paths, address: string): string {
  return `${pciLocksFolder(paths)}/${address}`;
}

/** Returns the path of the lock for the kernel's changes of the PCI device with the address. */
export function deviceProcessLock(paths: Paths, address: string): string {
  return `${paths.run}/locks/pci-process-${address}`;
}

/** Returns the path of the lock for writing the data of a new volume with the name, or on the disk. */
export function volumeLock(paths: Paths, name: string): string {
  return `${paths.run}/locks/volume-${name}`;
}

/**
 * Returns the path of the lock for talking to a device of the guest. No device has the names of other locks:
 * `edit` (to edit its definition), `quiesce` (for a snapshot of frozen file systems) and `reports`
 * (reportsLock()).
 */
export function deviceLock(paths: Paths, uuid: string, device: string): string {
  return `${paths.run}/locks/${uuid}-${device}`;
}

/**
 * Returns the file with an emulator's capabilities for a type of guest. Slashes are encoded, as a file name
 * has none.
 */
export function emulatorFile(paths: Paths, emulator: string, type: "kvm" | "qemu"): string {
  return `${paths.state}/emulators/${type}${encodeURIComponent(emulator)}.json`;
}

/** Returns the file with the models of processors that an emulator knows, for a type of guest. */
export function cpuModelsFile(paths: Paths, emulator: string, type: "kvm" | "qemu"): string {
  return `${paths.state}/emulators/models-${type}${encodeURIComponent(emulator)}.json`;
}

/** Returns the file with the completed domain of a definition. */
export function completedFile(paths: Paths, uuid: string): string {
  return `${paths.state}/completed/${uuid}`;
}

/** Returns the file with the domain of a running guest, parsed from its XML. */
export function parsedFile(paths: Paths, uuid: string): string {
  return `${paths.run}/parsed/${uuid}`;
}

/** Returns the folder of texts in an editor. */
export function editFolder(paths: Paths): string {
  return `${paths.run}/edit`;
}
