/** Argument that makes svirt the child of another svirt. No command has such a name. */
export const MOUNT_CHILD = "#mount";
