import { afterAll } from "bun:test";
import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

// A node for stock clients of libvirt: dist/svirt, which they start as virt-ssh-helper, as root in a new
// mount namespace where svirt's folders start empty. The transport ext runs a program where ssh would.

const SVIRT = new URL("../../dist/svirt", import.meta.url).pathname;
export const QEMU = "/usr/bin/qemu-system-x86_64";
/** Time for a test: an emulated guest starts in it on a busy machine. */
export const TEST_MS = 120_000;

const isAble = process.getuid?.() === 0 && Bun.spawnSync(["unshare", "-m", "true"]).exitCode === 0;

/** Output of a call, and its exit code. */
export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/**
 * Returns what this machine lacks for tests with these programs, as a part of their title; empty if they can
 * run.
 */
export function lackOf(programs: readonly string[]): string {
  const missing = [QEMU, ...programs].filter((program) => Bun.which(program) === null);
  const lacks = [...(isAble ? [] : ["root, and mount namespaces"]), ...missing];
  return lacks.length === 0 ? "" : ` (skipped: needs ${lacks.join(", ")})`;
}

/**
 * Makes a folder for calls, which is removed after the file's tests. From there stock clients connect by
 * `helper`.
 */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "svirt-client-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  symlinkSync(SVIRT, join(folder, "virt-ssh-helper"));
  const helper = join(folder, "helper");
  writeFileSync(helper, `#!/bin/sh\nexec ${folder}/virt-ssh-helper qemu:///system 2>>${folder}/errors\n`);
  chmodSync(helper, 0o755);
  return folder;
}

/**
 * Runs lines of the shell in the folder, one after another on a new node, and returns the output of each.
 * `virsh` and $LIBVIRT_DEFAULT_URI connect to the node.
 */
export function onNewNode(folder: string, lines: readonly string[]): Said[] {
  const empty = ["/etc/svirt", "/var/lib/svirt", "/run/svirt", "/var/log/svirt"].map(
    (path) => `mkdir -p ${path}; mount -t tmpfs none ${path}`,
  );
  const script = [
    ...empty,
    // The host of this test may have no SELinux. Its guests say so, and the administrator's setting permits
    // it.
    "echo security_require_confined = 0 >/etc/svirt/svirt.conf",
    `export LIBVIRT_DEFAULT_URI='qemu+ext:///system?command=${folder}/helper'`,
    'virsh() { timeout -k 1 60 virsh -c "$LIBVIRT_DEFAULT_URI" "$@"; }',
    ...lines.map(
      (line, at) => `(cd ${folder}; ${line}) </dev/null >${folder}/${at}.out 2>${folder}/${at}.err; echo $?`,
    ),
  ].join("\n");
  const child = Bun.spawnSync(["unshare", "-m", "sh", "-c", script], { stdin: "ignore" });
  const codes = child.stdout.toString().trim().split("\n");
  return lines.map((_, at) => ({
    code: Number(codes[at]),
    out: readOutput(folder, `${at}.out`),
    err: readOutput(folder, `${at}.err`),
  }));
}

/** Returns the text of a file in the folder. */
export function readOutput(folder: string, file: string): string {
  return readFileSync(join(folder, file), "utf8").trim();
}
