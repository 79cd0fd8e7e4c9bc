import { appendFileSync, chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";

const SSHD = "/usr/sbin/sshd";
const USUAL =
  "-F none -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR";

/** A server of OpenSSH on this machine with a key for each program, which is the key's command. */
export interface LocalSsh {
  /**
   * Programs in the place of ssh, for each key: with a connection of its own each time, and by one that is
   * there already.
   */
  readonly clients: readonly { readonly alone: string; readonly shared: string }[];
  stop(): Promise<void>;
}

/** Starts the server on a free port of 127.0.0.1; undefined without OpenSSH's server. sshd_config(5) */
export async function startLocalSsh(
  work: string,
  programs: readonly string[],
): Promise<LocalSsh | undefined> {
  if (Bun.which(SSHD) === null) return undefined;
  const port = freePort();
  const keys = programs.map((program, at) => makeKey(`${work}/key-${at}`, program, `${work}/authorized`));
  makeKey(`${work}/host`, "", `${work}/unused`);
  const settings = [
    `HostKey ${work}/host`,
    `AuthorizedKeysFile ${work}/authorized`,
    ...["ListenAddress 127.0.0.1", `Port ${port}`, "PidFile none", "StrictModes no", "PermitRootLogin yes"],
    "UsePAM no",
  ];
  writeFileSync(`${work}/sshd.conf`, `${settings.join("\n")}\n`);
  mkdirSync("/run/sshd", { recursive: true });
  const server = Bun.spawn([SSHD, "-D", "-f", `${work}/sshd.conf`], { stdout: "ignore", stderr: "inherit" });
  const clients = keys.map((key) => ({
    alone: wrap(`${key}-alone`, `-i ${key} -S none`),
    shared: wrap(`${key}-shared`, `-i ${key} -S ${key}.master`),
  }));
  const masters: Bun.Subprocess[] = [];
  for (const key of keys) {
    const words = `ssh ${USUAL} -p ${port} -i ${key} -M -N -S ${key}.master root@127.0.0.1`.split(" ");
    await untilListens(port);
    masters.push(Bun.spawn(words, { stdin: "ignore", stdout: "ignore", stderr: "inherit" }));
    await untilTrue(
      () =>
        Bun.spawnSync(["ssh", "-S", `${key}.master`, "-O", "check", "-p", String(port), "root@127.0.0.1"])
          .exitCode === 0,
    );
  }
  return {
    clients,
    async stop() {
      for (const child of [...masters, server]) child.kill();
      await Promise.all([...masters, server].map(({ exited }) => exited));
    },
  };

  function wrap(path: string, options: string): string {
    writeFileSync(path, `#!/bin/sh\nexec /usr/bin/ssh ${USUAL} -p ${port} ${options} "$@"\n`);
    chmodSync(path, 0o755);
    return path;
  }
}

/** Makes a key that may run one program, and returns its path. */
function makeKey(path: string, program: string, authorized: string): string {
  const made = Bun.spawnSync(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path]);
  if (made.exitCode !== 0) throw new Error(`Cannot measure: ssh-keygen: ${made.stderr}`);
  appendFileSync(authorized, `restrict,command="${program}" ${readFileSync(`${path}.pub`, "utf8")}`);
  return path;
}

function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  const { port } = listener;
  listener.stop();
  return port;
}

async function untilListens(port: number): Promise<void> {
  await untilTrue(async () => {
    try {
      (await Bun.connect({ hostname: "127.0.0.1", port, socket: { data: () => undefined } })).end();
      return true;
    } catch {
      return false;
    }
  });
}

async function untilTrue(test: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    if (await test()) return;
    await Bun.sleep(100);
  }
  throw new Error("Cannot measure: sshd does not answer");
}
