import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";

/** Copy of the checkout in which tests cannot harm the host. */
export interface Sandbox {
  /** Path of the copy. */
  readonly copy: string;
}

/**
 * Confines a run, because a changed program may remove or label any file as root. Only the copy, /tmp,
 * /var/tmp and the kernel's file systems are writable. The network is separate, and every process of the run
 * ends with it. mount_namespaces(7), network_namespaces(7), pid_namespaces(7)
 */
const CONFINE = `set -e
mount --make-rprivate /
mount --bind "$1" "$1"
mount --bind "$1/var-tmp" /var/tmp
mount -o remount,bind,ro /
mount -t tmpfs tmpfs /tmp
mount -t tmpfs tmpfs /run
ip link set lo up
cd "$1/copy"
shift
exec "$@"`;

/** Lists the files that git tracks or would add. */
export function listFiles(): string[] {
  const { stdout } = Bun.spawnSync(["git", "ls-files", "-z", "-co", "--exclude-standard"]);
  return stdout
    .toString()
    .split("\0")
    .filter((file) => file !== "");
}

/** Makes a copy of these files. */
export function makeSandbox(folder: string): Sandbox {
  rmSync(folder, { recursive: true, force: true });
  const copy = join(folder, "copy");
  mkdirSync(join(folder, "var-tmp"), { recursive: true, mode: 0o1777 });
  for (const file of listFiles()) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(file, join(copy, file), { verbatimSymlinks: true });
  }
  symlinkSync(join(process.cwd(), "node_modules"), join(copy, "node_modules"));
  return { copy };
}

/** Result of a command, with its output: success, failure, or out of time. */
export interface Outcome {
  readonly ended: "green" | "red" | "too late";
  readonly output: string;
}

/** Runs a command in the copy, and kills it at the end of the time. timeout(1) */
export async function runIn(
  { copy }: Sandbox,
  command: readonly string[],
  seconds: number,
): Promise<Outcome> {
  const confined = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"];
  const words = ["timeout", "-s", "KILL", String(Math.ceil(seconds)), ...confined];
  const output = join(dirname(copy), "output");
  // An existing file would keep the end of earlier output.
  for (const file of [output, `${output}.err`]) rmSync(file, { force: true });
  const began = performance.now();
  // A file, because a process that outlives the command would keep the reader of a pipe waiting.
  const child = Bun.spawn([...words, "sh", "-c", CONFINE, "sh", dirname(copy), ...command], {
    stdio: ["ignore", Bun.file(output), Bun.file(`${output}.err`)],
  });
  const isGreen = (await child.exited) === 0;
  const isLate = performance.now() - began >= 1000 * Math.ceil(seconds);
  const printed = [output, `${output}.err`].map((file) => readFileSync(file, "utf8")).join("");
  if (isGreen) return { ended: "green", output: printed };
  return { ended: isLate ? "too late" : "red", output: printed };
}
