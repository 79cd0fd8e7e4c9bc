/** An instance, and the folders where it keeps what it keeps. docs/state.md tells what is in them. */
export interface Paths {
  /** libvirt's word: `system` is root's, `session` an ordinary user's own. */
  readonly instance: "system" | "session";
  /** Definitions and settings: `/etc/svirt`. */
  readonly config: string;
  /** What ends with a boot: `/run/svirt`. */
  readonly run: string;
  /** Records of guests and what they hold; outlives a boot where it is on a disk: `/var/lib/svirt`. */
  readonly state: string;
  /** One log a guest: `/var/log/svirt`. */
  readonly log: string;
}

/** The privileged instance. */
export const SYSTEM_PATHS: Paths = {
  instance: "system",
  config: "/etc/svirt",
  run: "/run/svirt",
  state: "/var/lib/svirt",
  log: "/var/log/svirt",
};

/** The paths of one guest. */
export interface GuestPaths {
  readonly record: string;
  readonly lock: string;
  /** Ours: monitor, process number, how it ended. */
  readonly folder: string;
  /** The guest's own: its working folder, with its image label. */
  readonly workFolder: string;
  readonly monitor: string;
  /** QEMU's number, written by its reaper. */
  readonly pid: string;
  readonly exit: string;
}

/** The paths of the guest with that UUID. */
export function guestPaths(paths: Paths, uuid: string): GuestPaths {
  const folder = `${paths.run}/${uuid}`;
  return {
    record: `${recordsFolder(paths)}/${uuid}.json`,
    lock: `${paths.run}/locks/${uuid}`,
    folder,
    workFolder: `${folder}/guest`,
    monitor: `${folder}/monitor.sock`,
    pid: `${folder}/pid`,
    exit: `${folder}/exit`,
  };
}

/** One record for each guest that is starting, running or not yet cleared away. */
export function recordsFolder(paths: Paths): string {
  return `${paths.state}/records`;
}

/** Held by whoever chooses levels or changes claims and labels. */
export function registryLock(paths: Paths): string {
  return `${paths.run}/locks/registry`;
}

/** Held by whoever talks to that device of the guest, or edits its definition. */
export function deviceLock(paths: Paths, uuid: string, device: string): string {
  return `${paths.run}/locks/${uuid}-${device}`;
}

/** What an emulator said it can do for guests of a type. A slash is no part of a file's name. */
export function emulatorFile(paths: Paths, emulator: string, type: "kvm" | "qemu"): string {
  return `${paths.state}/emulators/${type}${encodeURIComponent(emulator)}.json`;
}

/** What definitions were made of. */
export function completedFolder(paths: Paths): string {
  return `${paths.state}/completed`;
}

/** The domain of the definition with that UUID, as it was completed. */
export function completedFile(paths: Paths, uuid: string): string {
  return `${completedFolder(paths)}/${uuid}`;
}

/** Texts that somebody edits. */
export function editFolder(paths: Paths): string {
  return `${paths.run}/edit`;
}
