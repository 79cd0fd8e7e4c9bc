import { statSync } from "node:fs";
import { parseArgs } from "node:util";
import { BUDGETS } from "../../image/ship/budgets.ts";
import { putBetweenMarks } from "../../image/ship/marks.ts";
import { bootOf, CARD } from "../image/boots.ts";
import { type Machine, startMachine } from "../image/machine.ts";

/** Interval between two probes of SSH, and so the precision of the times. */
const PROBE_MS = 250;
/**
 * Longest wait for a greeting. Four probes run at once: dropbear allows an address five connections without
 * login.
 */
const TRY_MS = 1000;
const BOOT_MS = 400_000;
const MEMORY_MiB = 1024;
const RESULTS = new URL("../../docs/measurements.md", import.meta.url).pathname;

/** One boot: seconds from power-on, and the memory that the booted node cannot give to guests. */
interface BootTime {
  readonly ssh: number;
  readonly list: number;
  readonly heldMiB: number;
}

interface Layout {
  readonly name: string;
  readonly bytes: number;
  readonly boots: BootTime[];
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "5" },
    set: { type: "string", default: "lean" },
    folder: { type: "string", default: "" },
  },
});
const rounds = Number(values.rounds);
const budget = BUDGETS.get(values.set)?.pxe ?? 0;
const layouts: readonly Layout[] = positionals.map((name) => ({ name, bytes: sizeOf(name), boots: [] }));
const fitting = layouts.filter(({ bytes }) => bytes <= budget);
for (let round = 1; round <= rounds; round += 1) {
  for (const { boots, name } of fitting) {
    const time = await measureBoot(`${values.folder}/${name}`);
    boots.push(time);
    say(`${round} ${name}: SSH ${time.ssh.toFixed(1)} s, svirt list ${time.list.toFixed(1)} s`);
  }
}
const table = formatRows();
say(`\n${table.join("\n")}`);
if (rounds > 0) await putBetweenMarks(RESULTS, `boot ${values.set}`, table);

function sizeOf(layout: string): number {
  const sizes = ["vmlinuz", "initrd"].map((file) => statSync(`${values.folder}/${layout}/${file}`).size);
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Measures a boot from the start of QEMU. */
async function measureBoot(folder: string): Promise<BootTime> {
  const machine = await startMachine(bootOf(folder, ({ admin }) => `svirt.key=${admin}`, CARD));
  const begin = performance.now();
  try {
    await waitForSsh(machine, begin + BOOT_MS);
    const ssh = secondsSince(begin);
    await machine.run("svirt list");
    const list = secondsSince(begin);
    const freeKiB = await machine.run("sed -n 's/^MemAvailable: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo");
    return { ssh, list, heldMiB: Math.round(MEMORY_MiB - Number(freeKiB) / 1024) };
  } finally {
    await machine.stop();
  }
}

/**
 * Waits until sshd greets. Each probe is a new connection with a short timeout. A connection made before the
 * node has a network hangs, and QEMU retries it at growing intervals.
 */
async function waitForSsh(machine: Machine, deadline: number): Promise<void> {
  let greeted = false;
  const tryOnce = async (): Promise<void> => {
    const socket = await Bun.connect({
      hostname: "127.0.0.1",
      port: machine.sshPort,
      socket: {
        data(_socket, said) {
          greeted ||= said.toString().startsWith("SSH-2.0");
        },
      },
    }).catch(() => undefined);
    await Bun.sleep(TRY_MS);
    socket?.terminate();
  };
  while (!greeted && performance.now() < deadline) {
    void tryOnce();
    await Bun.sleep(PROBE_MS);
  }
  if (!greeted)
    throw new Error(`The node does not answer by SSH:\n${(await machine.console()).slice(-2000)}`);
}

/** Formats the rows. The fastest layout is chosen by its least time, which other load has disturbed least. */
function formatRows(): readonly string[] {
  const fastest = Math.min(...fitting.map(({ boots }) => least(boots, "list")));
  return [
    `| layout | vmlinuz and initrd | SSH, s | first \`svirt list\`, s | over the fastest | MiB held |`,
    "| --- | --: | --: | --: | --: | --: |",
    ...layouts.map(({ boots, bytes, name }) => {
      const list = least(boots, "list");
      const times =
        boots.length === 0
          ? [bytes > budget ? "over budget" : "", "", "", ""]
          : [
              range(boots, "ssh"),
              range(boots, "list"),
              (list / fastest).toFixed(2),
              String(least(boots, "heldMiB")),
            ];
      return `| ${[name, bytes.toLocaleString("en-US"), ...times].join(" | ")} |`;
    }),
  ];
}

function range(boots: readonly BootTime[], what: keyof BootTime): string {
  const most = Math.max(...boots.map((boot) => boot[what]));
  return `${least(boots, what).toFixed(1)} (to ${most.toFixed(1)})`;
}

function least(boots: readonly BootTime[], what: keyof BootTime): number {
  return Math.min(...boots.map((boot) => boot[what]));
}

function secondsSince(begin: number): number {
  return (performance.now() - begin) / 1000;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
