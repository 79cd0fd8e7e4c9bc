import { writeFileSync } from "node:fs";

/** QEMU's driver without what a container may lack: SELinux, control groups, mount namespaces, virtlogd. */
export const QEMU_SETTINGS: readonly string[] = [
  'security_driver = "none"',
  'user = "root"',
  'group = "root"',
  'stdio_handler = "file"',
  "cgroup_controllers = [ ]",
  "namespaces = [ ]",
];

/** Starts libvirt's daemon with a socket of its own, WORK/libvirt-sock, without a manager of services. */
export function startLibvirt(work: string): Bun.Subprocess {
  const settings = `${work}/libvirtd.conf`;
  writeFileSync(settings, `auth_unix_rw = "none"\nauth_unix_ro = "none"\nunix_sock_dir = "${work}"\n`);
  return Bun.spawn(["libvirtd", "-f", settings, "-p", `${work}/libvirtd.pid`], {
    stdout: "ignore",
    stderr: "ignore",
  });
}

/** Waits until the daemon answers that command of virsh. */
export async function untilAnswered(command: string): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    if (Bun.spawnSync(command.split(" ")).exitCode === 0) return;
    await Bun.sleep(100);
  }
  throw new Error("Cannot measure: libvirtd does not answer; end another one that runs");
}
