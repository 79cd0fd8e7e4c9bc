/** Way to mount a file system: the kernel's type, and its options as `name` or `name=value`. */
export interface MountAttempt {
  readonly type: string;
  readonly options: readonly string[];
}

/** Property of a mount. mount_setattr(2) */
export type MountFlag = "ro" | "nosuid" | "nodev" | "noexec" | "noatime" | "nodiratime";

/** File system to mount. */
export interface MountOrder {
  /** Path of a block device, or SERVER:FOLDER. */
  readonly source: string;
  /** Server whose address the kernel needs; undefined: the source is no server's. */
  readonly server: string | undefined;
  /** Tried in this order while the server lacks the protocol. */
  readonly attempts: readonly MountAttempt[];
  readonly flags: readonly MountFlag[];
}

/** Returns the same order with another option for each attempt. */
export function addOption(order: MountOrder, option: string): MountOrder {
  const attempts = order.attempts.map((one) => ({ ...one, options: [...one.options, option] }));
  return { ...order, attempts };
}

/** Whether a mount with this type of the kernel belongs to an NFS server. */
export function isServerType(kernelType: string): boolean {
  return kernelType === "nfs" || kernelType === "nfs4";
}
