/** Folders of svirt and of libvirt's daemon. */
const FOLDERS = [
  ...["/etc/svirt", "/var/lib/svirt", "/run/svirt", "/var/log/svirt"],
  ...["/etc/libvirt", "/var/lib/libvirt", "/var/log/libvirt", "/run/libvirt", "/var/cache/libvirt"],
];

/**
 * Mounts empty folders over those of svirt and libvirt, so the process must have a mount namespace of its
 * own: `unshare -m`. Throws if a mount fails.
 */
export function mountOwnFolders(): void {
  for (const folder of FOLDERS) {
    run(["mkdir", "-p", folder]);
    run(["mount", "-t", "tmpfs", "none", folder]);
  }
}

/** Runs a command, and returns its output. Throws if it fails. */
export function run(words: readonly string[], folder?: string): { stdout: string; stderr: string } {
  const child = Bun.spawnSync([...words], {
    stderr: "pipe",
    ...(folder === undefined ? {} : { cwd: folder }),
  });
  const [stdout, stderr] = [child.stdout.toString(), child.stderr.toString()];
  if (!child.success)
    throw new Error(`Cannot measure: ${words.join(" ")} ended with ${child.exitCode}: ${stderr.trim()}`);
  return { stdout, stderr };
}
