import { afterAll } from "bun:test";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

// Stock virsh of this host with a node: it runs ssh with the command for virt-ssh-helper, which `svirt shell`
// gets as sshd passes it to the command of a key.

const NODE = fileURLToPath(new URL("../../../scripts/node", import.meta.url));
export const VIRSH_MS = 120_000;

/** Output of a call, and its exit code. */
export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Makes a folder for files of the client, which is removed after the file's tests. */
export function makeClientFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "svirt-client-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Makes a program in the place of ssh, whose last argument is the command, for a key with these options. */
export function sshFor(folder: string, name: string, options: string): string {
  const path = join(folder, name);
  // libvirt's client passes few variables on.
  const variables = ["SVIRT_NODE", "SVIRT_CACHE"].flatMap((each) => {
    const value = process.env[each];
    return value === undefined ? [] : [`export ${each}='${value}'`];
  });
  const lines = [
    "#!/bin/bash",
    ...variables,
    "for asked; do :; done",
    `exec ${NODE} ssh "SSH_ORIGINAL_COMMAND=$(printf %q "$asked") exec svirt shell ${options}"`,
  ];
  writeFileSync(path, `${lines.join("\n")}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** Returns the URI of the node, by a program of sshFor(). */
export function nodeUri(ssh: string): string {
  return `qemu+ssh://root@node/system?command=${ssh}`;
}

/** Runs virsh on the node, by a program of sshFor(). */
export async function virsh(ssh: string, ...words: readonly string[]): Promise<Said> {
  return await run(["virsh", "-c", nodeUri(ssh), ...words]);
}

/** Runs a program of this host. */
export async function run(words: readonly string[]): Promise<Said> {
  const child = Bun.spawn(["timeout", "-k", "1", String(VIRSH_MS / 1000), ...words], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, out: out.trim(), err: err.trim() };
}
