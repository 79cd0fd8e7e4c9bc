/** Debian packages of programs that tests need and that a small machine lacks. */
const PACKAGES = new Map([
  ["findmnt", "util-linux"],
  ["getfattr", "attr"],
  ["ip", "iproute2"],
  ["losetup", "mount"],
  ["mke2fs", "e2fsprogs"],
  ["mkfs.ext4", "e2fsprogs"],
  ["qemu-img", "qemu-utils"],
  ["setfattr", "attr"],
]);

/**
 * Returns the first of these programs that is missing, with its package; undefined if this machine has all of
 * them.
 */
export function nameMissing(...programs: readonly string[]): string | undefined {
  const missing = programs.find((program) => Bun.which(program) === null);
  return missing && `${missing} is missing, install ${PACKAGES.get(missing) ?? missing}`;
}

/** Returns the suffix of a skipped test's name; empty without a reason. */
export function asideOf(lack: string | undefined): string {
  return lack === undefined ? "" : ` (skipped: ${lack})`;
}
