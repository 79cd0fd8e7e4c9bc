import { afterAll, beforeAll, expect } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bootDisk } from "../../guest/boot-sector.ts";
import { echoKernel } from "../../guest/kernel.ts";
import { node } from "../harness/on-the-node.ts";
import type { Said } from "../harness/stock-virsh.ts";
import { isNodeUp } from "../isolation/on-the-node.ts";

// This host as another machine of the node: OpenSSH's client with a key of its own, which may run only `svirt
// shell`.

/** Time for one call of a client. */
const CALL_MS = 240_000;
/** Time for the life of a guest. */
export const LIFE_MS = 900_000;
/** Host of the clients' ssh_config. */
const HOST = "node";

/** A machine with clients of libvirt. */
export interface Client {
  /** Its files: `guest`, the image of a guest that paints its screen and answers characters, and `kernel`. */
  readonly folder: string;
  readonly uri: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Makes the machine of a file's tests. `portOf` returns a port of this host that leads to an SSH server of
 * the node.
 */
export function makeClient(portOf: () => Promise<number>): Client {
  const folder = mkdtempSync(join(tmpdir(), "svirt-client-"));
  const bin = join(folder, "bin");
  const env = {
    // Debian's Python has the modules of Debian's tools, and another one may not.
    PATH: `${bin}:/usr/bin:/bin:/usr/sbin:/sbin`,
    HOME: folder,
    LANG: "C.UTF-8",
    LIBVIRT_DEFAULT_URI: `qemu+ssh://root@${HOST}/system`,
  };
  beforeAll(async () => {
    if (!(await isNodeUp())) return;
    mkdirSync(bin);
    writeFileSync(join(folder, "guest"), bootDisk("", { do: "paint" }));
    writeFileSync(join(folder, "kernel"), echoKernel({ do: "halt" }));
    // The clients start "ssh" without options, and OpenSSH reads no configuration from $HOME.
    writeFileSync(join(bin, "ssh"), `#!/bin/sh\nexec /usr/bin/ssh -F ${folder}/ssh_config "$@"\n`);
    chmodSync(join(bin, "ssh"), 0o755);
    Bun.spawnSync(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", KEY_NAME, "-f", `${folder}/key`]);
    const key = readFileSync(join(folder, "key.pub"), "utf8");
    await node(["ssh", `cat >>${KEYS}`], `restrict,command="svirt shell" ${key}`);
    writeFileSync(join(folder, "ssh_config"), sshConfig(folder, await portOf()));
  });
  afterAll(async () => {
    if (await isNodeUp()) {
      Bun.spawnSync(["/usr/bin/ssh", "-q", "-F", join(folder, "ssh_config"), "-O", "exit", HOST]);
      await node(["ssh", `kept=$(grep -v ${KEY_NAME} ${KEYS}); printf '%s\\n' "$kept" >${KEYS}`]);
    }
    rmSync(folder, { recursive: true });
  });
  return { folder, uri: env.LIBVIRT_DEFAULT_URI, env };
}

const KEYS = "/root/.ssh/authorized_keys";
const KEY_NAME = `svirt-test-client-${process.pid}`;

/**
 * One connection for all sessions of a file's tests: the emulated node needs seconds for each. ssh_config(5)
 */
function sshConfig(folder: string, port: number): string {
  return [
    `Host ${HOST}`,
    "  HostName 127.0.0.1",
    `  Port ${port}`,
    `  IdentityFile ${folder}/key`,
    "  IdentitiesOnly yes",
    "  BatchMode yes",
    "  LogLevel ERROR",
    "  StrictHostKeyChecking accept-new",
    `  UserKnownHostsFile ${folder}/known_hosts`,
    "  ControlMaster auto",
    `  ControlPath ${folder}/master`,
    "  ControlPersist 600",
    "",
  ].join("\n");
}

/** Returns the port of this host that leads to the node's dropbear. */
export async function portOfDropbear(): Promise<number> {
  const status = await node(["status"]);
  return Number(/ssh-port=(\d+)/.exec(status)?.[1]);
}

/** Starts a program of the machine. */
export function start(
  { env, folder }: Client,
  words: readonly string[],
  limitMs = CALL_MS,
): Bun.Subprocess<"pipe", "pipe", "pipe"> {
  return Bun.spawn(["timeout", "-k", "1", String(limitMs / 1000), ...words], {
    cwd: folder,
    env,
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
  });
}

/** Runs a program of the machine, without input. */
async function run(client: Client, words: readonly string[], limitMs = CALL_MS): Promise<Said> {
  const child = start(client, words, limitMs);
  void child.stdin.end();
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, out: out.trim(), err: err.trim() };
}

/** Runs a program of the machine, which must succeed, and returns its output. */
export function succeed(client: Client, ...words: readonly string[]): Promise<string> {
  return succeedWithin(CALL_MS, client, words);
}

/** The same for a program that makes many calls. */
export async function succeedWithin(
  limitMs: number,
  client: Client,
  words: readonly string[],
): Promise<string> {
  const said = await run(client, words, limitMs);
  expect({ words, ...said }).toMatchObject({ code: 0 });
  return said.out;
}

/** Runs virsh's commands, each a string of words, in one connection. All must succeed, without a warning. */
export async function virsh(client: Client, ...commands: readonly string[]): Promise<string> {
  const said = await run(client, ["virsh", commands.join("; ")]);
  expect({ commands, ...said }).toMatchObject({ code: 0, err: "" });
  return said.out;
}
