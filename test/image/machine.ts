import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";

/** Images that scripts/image builds: with the lean set of hardware, and with the full one. */
export const IMAGE = fileURLToPath(new URL("../../dist", import.meta.url));
export const FULL_IMAGE = `${IMAGE}/full`;
const POLL_MS = 500;
/** Limit for an emulated machine on a busy computer; no test asserts times. */
const BOOT_MS = 420_000;
const UNTIL_MS = 240_000;

/** Owner of a key: with a shell, with svirt only, with reading only. */
type Whose = "admin" | "manager" | "reader";
/** Public keys, as `TYPE:BASE64`. */
export type Keys = Readonly<Record<Whose, string>>;

/** Exit code and output of a command on the machine. */
interface Answer {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Machine that boots the product's image, with its administrator's access. */
export interface Machine {
  /** Port on 127.0.0.1 that leads to its port 22. */
  readonly sshPort: number;
  /** Runs a shell command on the machine. Throws if it fails, with all its output. */
  run(command: string): Promise<string>;
  /** Runs a command with the key of `whose`; undefined asks for a shell. Never throws. */
  ask(command: string | undefined, whose?: Whose): Promise<Answer>;
  /** Returns the output of its serial console. */
  console(): Promise<string>;
  /** Resolves to the exit code after the machine has powered itself off. */
  ended(): Promise<number>;
  /** Ends the machine as a power failure does. */
  stop(): Promise<void>;
}

/** Way to boot a machine. */
export interface Boot {
  /** QEMU's arguments. */
  readonly words: readonly string[];
  /** Options of QEMU's user networking for the network `net0`, besides SSH. */
  readonly network?: string;
}

/** Makes the boot when the keys are known. The folder is removed with the machine. */
export type MakeBoot = (keys: Keys, folder: string) => Boot;

/** Boots and waits until SSH answers. Throws with the end of the console if it does not. */
export async function bootMachine(makeBoot: MakeBoot): Promise<Machine> {
  const machine = await startMachine(makeBoot);
  const deadline = performance.now() + BOOT_MS;
  let hasEnded = false;
  void machine.ended().then(() => {
    hasEnded = true;
  });
  while (performance.now() < deadline && !hasEnded) {
    if ((await machine.ask("true")).code === 0) return machine;
    await Bun.sleep(POLL_MS);
  }
  const said = await machine.console();
  await machine.stop();
  throw new Error(`The machine does not answer by SSH:\n${said.slice(-3000)}`);
}

/** Boots without waiting. */
export async function startMachine(makeBoot: MakeBoot): Promise<Machine> {
  const folder = await mkdtemp(`${tmpdir()}/svirt-image-`);
  const keys = {
    admin: await makeKey(folder, "admin"),
    manager: await makeKey(folder, "manager"),
    reader: await makeKey(folder, "reader"),
  };
  const boot = makeBoot(keys, folder);
  const port = freePort();
  const network = `user,id=net0,hostfwd=tcp:127.0.0.1:${port}-:22${boot.network ?? ""}`;
  const words = [...machineWords(folder), "-netdev", network, ...boot.words];
  const qemu = Bun.spawn(words, { stderr: "inherit", stdin: "ignore" });
  const ask = async (command: string | undefined, whose: Whose = "admin"): Promise<Answer> =>
    await runSsh([...sshWords(`${folder}/${whose}`, port), ...(command === undefined ? [] : [command])]);
  return {
    sshPort: port,
    ask,
    async run(command) {
      const { code, err, out } = await ask(command);
      if (code !== 0) throw new Error(`exit ${code}: ${command}\n${out}${err}`);
      return out;
    },
    console: async () => await readFile(`${folder}/console`, "utf8").catch(() => ""),
    ended: async () => await qemu.exited,
    async stop() {
      qemu.kill("SIGKILL");
      await qemu.exited;
      await rm(folder, { recursive: true });
    },
  };
}

function machineWords(folder: string): string[] {
  return [
    ...["qemu-system-x86_64", "-no-user-config", "-nodefaults", "-display", "none", "-machine", "q35"],
    // -cpu max emulates AMD's virtualization, which gives the machine a /dev/kvm.
    ...["-accel", "tcg,thread=multi,tb-size=512", "-cpu", "max", "-smp", "2", "-m", "1024"],
    ...["-device", "virtio-rng-pci", "-serial", `file:${folder}/console`, "-no-reboot"],
  ];
}

async function runSsh(words: readonly string[]): Promise<Answer> {
  const child = Bun.spawn([...words], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { out, err, code };
}

function sshWords(key: string, port: number): string[] {
  const options = [
    "BatchMode=yes",
    "IdentitiesOnly=yes",
    "StrictHostKeyChecking=no",
    "UserKnownHostsFile=/dev/null",
    "ConnectTimeout=5",
  ];
  const words = ["ssh", "-q", "-F", "/dev/null", "-i", key, "-p", `${port}`];
  return [...words, ...options.flatMap((option) => ["-o", option]), "root@127.0.0.1"];
}

async function makeKey(folder: string, name: string): Promise<string> {
  const made = Bun.spawnSync(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", `${folder}/${name}`]);
  if (made.exitCode !== 0) throw new Error(`Cannot make a key: ${made.stderr.toString()}`);
  return (await readFile(`${folder}/${name}.pub`, "utf8")).split(" ").slice(0, 2).join(":");
}

/** Waits as long as an emulated machine may take; the caller asserts the result. */
export async function until(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + UNTIL_MS;
  while (!(await isSo()) && performance.now() < deadline) await Bun.sleep(POLL_MS);
}

/** Returns a TCP port of 127.0.0.1 that is unused at the moment. */
export function freePort(): number {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  const { port } = server;
  server.stop(true);
  return port;
}
