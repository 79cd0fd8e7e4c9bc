import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";

/** What scripts/image has made: the lean set of hardware, and the full one. */
export const IMAGE = fileURLToPath(new URL("../../dist", import.meta.url));
export const FULL_IMAGE = `${IMAGE}/full`;
const POLL_MS = 500;
/** An emulated machine on a busy computer; nothing is asserted about the time. */
const BOOT_MS = 420_000;

/** Whose key it is: of somebody with a shell, of one who may run svirt alone, of one who may only read. */
type Whose = "admin" | "manager" | "reader";
/** The public halves, as `TYPE:BASE64`. */
export type Keys = Readonly<Record<Whose, string>>;

/** What a command on the machine said. */
interface Answer {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A machine that boots the product's image, and its administrator. */
export interface Machine {
  /** Where its port 22 is, on 127.0.0.1. */
  readonly sshPort: number;
  /** A shell's command on it. Throws when it fails, with all that it said. */
  run(command: string): Promise<string>;
  /** The same with a key of one's choice; undefined asks for a shell. Never throws. */
  ask(command: string | undefined, whose?: Whose): Promise<Answer>;
  /** What its serial console has said. */
  console(): Promise<string>;
  /** The exit code, once it has powered itself off. */
  ended(): Promise<number>;
  /** As by a power failure. */
  stop(): Promise<void>;
}

/** How a machine is booted. */
export interface Boot {
  /** QEMU's words. */
  readonly words: readonly string[];
  /** What its network `net0` offers besides SSH: options of QEMU's user networking. */
  readonly network?: string;
}

/** Made when the keys are known; the folder is gone with the machine. */
export type MakeBoot = (keys: Keys, folder: string) => Boot;

/** Boots and waits until SSH answers. Throws with the console's end when it does not. */
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

/** Boots and does not wait. */
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
    // -cpu max emulates AMD's virtualization, so that there is a /dev/kvm inside.
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

/** A TCP port of 127.0.0.1 that nobody has just now. */
export function freePort(): number {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  const { port } = server;
  server.stop(true);
  return port;
}
