import { statSync } from "node:fs";
import { parseArgs } from "node:util";
import { BUDGETS } from "../../image/ship/budgets.ts";
import { formatTable } from "../../src/cli/table.ts";
import { bootOf, CARD } from "../image/boots.ts";
import { type Machine, startMachine } from "../image/machine.ts";

/** How often it is tried whether SSH answers: no time is known better than this. */
const PROBE_MS = 100;
const BOOT_MS = 400_000;
const HEADER = ["Layout", "Initrd", "And vmlinuz", "Fits", "SSH, s", "svirt list, s", "Ratio", "Free MiB"];

/** One boot: seconds from power-on, and what the booted node has left of 1024 MiB. */
interface BootTime {
  readonly ssh: number;
  readonly list: number;
  readonly freeMiB: number;
}

const { positionals: layouts, values } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "5" },
    set: { type: "string", default: "lean" },
    folder: { type: "string", default: "" },
  },
});
const budget = BUDGETS.get(values.set)?.pxe ?? 0;
const times = new Map<string, BootTime[]>(layouts.map((name) => [name, []]));
for (let round = 1; round <= Number(values.rounds); round += 1) {
  for (const name of layouts) {
    const time = await measureBoot(`${values.folder}/${name}`);
    times.get(name)?.push(time);
    say(`${round} ${name}: SSH ${time.ssh.toFixed(1)} s, svirt list ${time.list.toFixed(1)} s`);
  }
}
printTable();

/** From the moment that QEMU is started. */
async function measureBoot(folder: string): Promise<BootTime> {
  const machine = await startMachine(bootOf(folder, ({ admin }) => `svirt.key=${admin}`, CARD));
  const begin = performance.now();
  try {
    await waitForSsh(machine, begin + BOOT_MS);
    const ssh = secondsSince(begin);
    await machine.run("svirt list");
    const list = secondsSince(begin);
    const freeKiB = await machine.run("sed -n 's/^MemAvailable: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo");
    return { ssh, list, freeMiB: Math.round(Number(freeKiB) / 1024) };
  } finally {
    await machine.stop();
  }
}

/** Until sshd greets. A connection that is made before the node has a network may hang, so each try is a new one. */
async function waitForSsh(machine: Machine, deadline: number): Promise<void> {
  let greeted = false;
  const tries = new Set<{ end: () => void }>();
  while (!greeted && performance.now() < deadline) {
    void Bun.connect({
      hostname: "127.0.0.1",
      port: machine.sshPort,
      socket: {
        open: (socket) => void tries.add(socket),
        data(_socket, said) {
          greeted ||= said.toString().startsWith("SSH-2.0");
        },
        close: (socket) => void tries.delete(socket),
      },
    }).catch(() => undefined);
    await Bun.sleep(PROBE_MS);
  }
  for (const socket of tries) socket.end();
  if (!greeted)
    throw new Error(`The node does not answer by SSH:\n${(await machine.console()).slice(-2000)}`);
}

function printTable(): void {
  const rows = layouts.map((name) => {
    const [vmlinuz, initrd] = ["vmlinuz", "initrd"].map(
      (file) => statSync(`${values.folder}/${name}/${file}`).size,
    );
    return { name, initrd: initrd ?? 0, total: (vmlinuz ?? 0) + (initrd ?? 0), boots: times.get(name) ?? [] };
  });
  const fitting = rows.filter(({ total }) => total <= budget);
  const fastest = Math.min(...fitting.map(({ boots }) => median(boots.map(({ list }) => list))));
  const cells = rows.map(({ boots, initrd, name, total }) => [
    name,
    ...[initrd, total].map((bytes) => bytes.toLocaleString("en-US")),
    total <= budget ? "yes" : "no",
    ...[boots.map(({ ssh }) => ssh), boots.map(({ list }) => list)].map(medianAndRange),
    (median(boots.map(({ list }) => list)) / fastest).toFixed(2),
    String(median(boots.map(({ freeMiB }) => freeMiB))),
  ]);
  say(
    `\nFrom power-on, median (least to most); the ratio is of svirt list, to the fastest that fits ${budget.toLocaleString("en-US")} bytes`,
  );
  say(formatTable(HEADER, cells).trimEnd());
}

function medianAndRange(seconds: readonly number[]): string {
  const [least, most] = [Math.min(...seconds), Math.max(...seconds)];
  return `${median(seconds).toFixed(1)} (${least.toFixed(1)} to ${most.toFixed(1)})`;
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  return ((sorted[half] ?? Number.NaN) + (sorted[sorted.length - 1 - half] ?? Number.NaN)) / 2;
}

function secondsSince(begin: number): number {
  return (performance.now() - begin) / 1000;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
