import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";

/** What scripts/image has made. */
export const IMAGE = fileURLToPath(new URL("../../dist", import.meta.url));
const POLL_MS = 500;
/** An emulated machine on a busy computer; nothing is asserted about the time. */
const BOOT_MS = 420_000;

/** A machine that boots the product's image, and its administrator. */
export interface Machine {
  /** A shell's command on it. Throws when it fails, with all that it said. */
  run(command: string): Promise<string>;
  /** What its serial console has said. */
  console(): Promise<string>;
  /** Waits until it has powered itself off. */
  ended(): Promise<number>;
  stop(): Promise<void>;
}

/** How a machine is booted. */
export interface Boot {
  /** QEMU's words. */
  readonly words: readonly string[];
  /** What its network `net0` offers besides SSH: options of QEMU's user networking. */
  readonly network?: string;
}

/** Made when the public half of the administrator's key is known, as `TYPE:BASE64`; the folder is gone with the machine. */
export type MakeBoot = (key: string, folder: string) => Boot;

/** Boots and waits until SSH answers. Throws with the console's end when it does not. */
export async function bootMachine(makeBoot: MakeBoot): Promise<Machine> {
  const folder = await mkdtemp(`${tmpdir()}/svirt-image-`);
  const boot = makeBoot(await makeKey(folder), folder);
  const port = freePort();
  const network = `user,id=net0,hostfwd=tcp:127.0.0.1:${port}-:22${boot.network ?? ""}`;
  const words = [...machineWords(folder), "-netdev", network, ...boot.words];
  const qemu = Bun.spawn(words, { stderr: "pipe", stdin: "ignore" });
  const ssh = sshWords(folder, port);
  const machine: Machine = {
    async run(command) {
      const child = Bun.spawn([...ssh, command], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
      const [out, err, code] = await Promise.all([
        new Response(child.stdout).text(),
        new Response(child.stderr).text(),
        child.exited,
      ]);
      if (code !== 0) throw new Error(`exit ${code}: ${command}\n${out}${err}`);
      return out;
    },
    console: async () => await readFile(`${folder}/console`, "utf8").catch(() => ""),
    ended: async () => await qemu.exited,
    async stop() {
      qemu.kill();
      await qemu.exited;
      await rm(folder, { recursive: true });
    },
  };
  await waitForSsh(machine, () => qemu.exitCode);
  return machine;
}

function machineWords(folder: string): string[] {
  return [
    ...["qemu-system-x86_64", "-no-user-config", "-nodefaults", "-display", "none", "-machine", "q35"],
    // -cpu max emulates AMD's virtualization, so that there is a /dev/kvm inside.
    ...["-accel", "tcg,thread=multi,tb-size=512", "-cpu", "max", "-smp", "2", "-m", "1024"],
    ...["-device", "virtio-rng-pci", "-serial", `file:${folder}/console`, "-no-reboot"],
  ];
}

function sshWords(folder: string, port: number): string[] {
  const options = [
    "BatchMode=yes",
    "StrictHostKeyChecking=no",
    "UserKnownHostsFile=/dev/null",
    "ConnectTimeout=5",
  ];
  const words = ["ssh", "-q", "-F", "/dev/null", "-i", `${folder}/key`, "-p", `${port}`];
  return [...words, ...options.flatMap((option) => ["-o", option]), "root@127.0.0.1"];
}

async function makeKey(folder: string): Promise<string> {
  const made = Bun.spawnSync(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", `${folder}/key`]);
  if (made.exitCode !== 0) throw new Error(`Cannot make a key: ${made.stderr.toString()}`);
  return (await readFile(`${folder}/key.pub`, "utf8")).split(" ").slice(0, 2).join(":");
}

function freePort(): number {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  const { port } = server;
  server.stop(true);
  return port;
}

async function waitForSsh(machine: Machine, exitCode: () => number | null): Promise<void> {
  const deadline = performance.now() + BOOT_MS;
  while (performance.now() < deadline && exitCode() === null) {
    if (
      await machine.run("true").then(
        () => true,
        () => false,
      )
    )
      return;
    await Bun.sleep(POLL_MS);
  }
  const said = await machine.console();
  await machine.stop();
  throw new Error(`The machine does not answer by SSH:\n${said.slice(-3000)}`);
}
