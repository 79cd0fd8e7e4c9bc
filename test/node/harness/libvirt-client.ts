import { afterAll } from "bun:test";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

// Stock virsh of this host, whose ssh is a script that calls `svirt shell` on the node as sshd does for the command of a key.

const NODE = fileURLToPath(new URL("../../../scripts/node", import.meta.url));
/** Most time of a call of virsh. */
export const VIRSH_MS = 120_000;

/** Output of a call of virsh, and its exit code. */
interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Makes a folder for the scripts, which is removed after the file's tests. */
export function clientFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "svirt-client-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Makes a program in the place of ssh, whose last argument is the command, for a key with these options. Returns its path. */
export function sshFor(folder: string, options: string): string {
  const path = join(folder, `ssh${options}`);
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

/** Runs virsh with the node. */
export async function virsh(program: string, ...words: readonly string[]): Promise<Said> {
  const child = spawnVirsh({ program, limitMs: VIRSH_MS }, words);
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, out: out.trim(), err: err.trim() };
}

/** Starts virsh with the node. Each line of its output arrives at once. */
export function spawnVirsh(
  { limitMs, program }: { readonly program: string; readonly limitMs: number },
  words: readonly string[],
) {
  const uri = `qemu+ssh://root@node/system?command=${program}`;
  const limit = ["timeout", "-k", "1", String(limitMs / 1000), "stdbuf", "-oL"];
  return Bun.spawn([...limit, "virsh", "-c", uri, ...words], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
}
