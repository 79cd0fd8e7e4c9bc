import type { FileId } from "../plan/facts/file.ts";
import type { MountOrder } from "../storage/pool/mount/mount-order.ts";
import type { FileAttributes } from "./file-attributes.ts";

/** A mount. proc_pid_mountinfo(5) */
export interface Mount {
  /** Device number of the file system, MAJOR:MINOR. */
  readonly device: string;
  readonly path: string;
  readonly type: string;
  readonly source: string;
  /** Label of all its files, if they have none of their own. */
  readonly context: string | undefined;
}

/**
 * A file system that is mounted in no folder, with the attributes of its root. It ends with svirt. fsmount(2)
 */
export interface OpenedMount extends FileAttributes {
  /** Inode of its root. */
  readonly inode: string;
  /**
   * Mounts it in the folder that was inspected. Throws "denied" if the path leads to another folder,
   * "host-call".
   */
  attach(folder: FileId): void;
  /** Gives up svirt's hold: an unattached file system ends. */
  close(): Promise<void>;
}

/** Mounts of file systems. */
export interface MountHost {
  /** Lists the mounts visible to svirt, in the order of their creation. */
  listMounts(): readonly Mount[];
  /**
   * Opens a file system without mounting it in a folder. Throws "timeout" if a server or a device does not
   * answer in 30 seconds, "host-call" or "no-access" with the kernel's message of each attempt.
   */
  openMount(order: MountOrder): Promise<OpenedMount>;
  /**
   * Unmounts the file system at a path in an inspected folder. Throws "in-use" if it is in use, "timeout" if
   * a server does not answer in the time or 30 seconds, "host-call", "denied".
   */
  unmount(above: FileId, path: string, limitMs?: number): Promise<void>;
  /**
   * Returns whether the file system with a path answers within the time. Any other call for it would wait for
   * hours.
   */
  hasAnswer(path: string, limitMs: number): Promise<boolean>;
}
