/** Debian's packages of programs that tests need, and that a small machine does not have. */
const PACKAGES = new Map([
  ["findmnt", "util-linux"],
  ["getfattr", "attr"],
  ["ip", "iproute2"],
  ["losetup", "mount"],
  ["mke2fs", "e2fsprogs"],
  ["mkfs.ext4", "e2fsprogs"],
  ["setfattr", "attr"],
]);

/** Names the first of these programs that this machine does not have, and its package; undefined when it has all of them. */
export function nameMissing(...programs: readonly string[]): string | undefined {
  const missing = programs.find((program) => Bun.which(program) === null);
  return missing && `${missing} is missing, install ${PACKAGES.get(missing) ?? missing}`;
}

/** What stands in the name of a test that is skipped for this reason; nothing where there is none. */
export function asideOf(lack: string | undefined): string {
  return lack === undefined ? "" : ` (skipped: ${lack})`;
}
