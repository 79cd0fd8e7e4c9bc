import { closeSync, openSync } from "node:fs";
import type { Host } from "../../src/host/host.ts";
import { guestUser } from "../../src/plan/facts/guest-user.ts";
import { startDomain } from "../../src/vm/start/start.ts";
import { RealFolder } from "../real-host/folder.ts";
import { givenNode } from "../real-host/given-node.ts";
import { xmlWithDisks } from "./many-disks.ts";

const QEMU = "/usr/bin/qemu-system-x86_64";
const GUESTS = [0, 1, 10];
const FILES_MIB = 1;
/** Arguments of a QEMU that answers as early as possible. With -S no firmware runs. */
const WORDS = ["-nodefaults", "-display", "none", "-S", "-m", "16", "-accel", "tcg", "-qmp", "stdio"];
const ASKS_NOTHING = { findHoldings: () => [], listProcessesIn: () => [] } satisfies Partial<Host>;

/** Median cost of asking the kernel which other guests' processes hold the disk of a start. */
export interface HeldCost {
  readonly guests: number;
  /** Whole start: svirt's part up to QEMU, and a QEMU until it answers. */
  readonly startMs: number;
  /** Same start by a svirt that does not ask the kernel. */
  readonly withoutMs: number;
}

/**
 * Starts a guest with one disk in a warm process, in turn with and without inspecting other guests'
 * processes. On a kernel without SELinux svirt reads each process wholly, not only its context. Returns
 * undefined without QEMU.
 */
export async function measureHeld(rounds: number): Promise<readonly HeldCost[] | undefined> {
  if (!(await Bun.file(QEMU).exists())) return undefined;
  const costs: HeldCost[] = [];
  for (const guests of GUESTS) costs.push(await measureBeside(guests, rounds));
  return costs;
}

async function measureBeside(guests: number, rounds: number): Promise<HeldCost> {
  using folder = new RealFolder();
  const running = await Promise.all(Array.from({ length: guests }, (_, at) => startOther(folder, at)));
  try {
    const times: { readonly asks: number; readonly asksNothing: number; readonly qemu: number }[] = [];
    await timeStart({});
    for (let round = 0; round < rounds; round += 1) {
      const first = await timeStart(round % 2 === 0 ? {} : ASKS_NOTHING);
      const second = await timeStart(round % 2 === 0 ? ASKS_NOTHING : {});
      const [asks, asksNothing] = round % 2 === 0 ? [first, second] : [second, first];
      times.push({ asks, asksNothing, qemu: await timeQemu() });
    }
    const withoutMs = median(times.map(({ asksNothing, qemu }) => asksNothing + qemu));
    // Compares pairs, because the other load on the machine changes between rounds.
    return { guests, withoutMs, startMs: withoutMs + median(times.map((one) => one.asks - one.asksNothing)) };
  } finally {
    for (const other of running) other.kill("SIGKILL");
  }
}

/** Starts a stopped QEMU with a disk, as the user of a guest. */
async function startOther(folder: RealFolder, at: number): Promise<Bun.Subprocess> {
  const disk = folder.file(`other${at}.img`, "\0".repeat(FILES_MIB * 1024 * 1024));
  const user = String(guestUser("ffffffff-0000-4000-8000-000000000000", at));
  const drop = ["setpriv", "--reuid", user, "--clear-groups", "--"];
  const drive = ["-add-fd", "fd=3,set=1", "-blockdev", "file,node-name=a,filename=/dev/fdset/1"];
  const words = [...drop, QEMU, ...WORDS, ...drive, "-device", "virtio-blk,drive=a"];
  const fd = openSync(disk, "r+");
  try {
    const child = Bun.spawn(words, { stdio: ["ignore", "pipe", "inherit", fd] });
    await child.stdout.getReader().read();
    return child;
  } finally {
    closeSync(fd);
  }
}

async function timeQemu(): Promise<number> {
  const begun = performance.now();
  const child = Bun.spawn([QEMU, ...WORDS], { stdio: ["pipe", "pipe", "ignore"] });
  await child.stdout.getReader().read();
  const tookMs = performance.now() - begun;
  child.kill("SIGKILL");
  await child.exited;
  return tookMs;
}

async function timeStart(more: Partial<Host>): Promise<number> {
  using folder = new RealFolder();
  let spawnedMs: number | undefined;
  const instance = givenNode(folder.path, "s0-s0:c0.c1023", {
    ...more,
    spawnGuest() {
      spawnedMs = performance.now();
      throw new Error("nothing is spawned in this measurement");
    },
  });
  const xml = xmlWithDisks([folder.file("0.img")], "qemu");
  const begun = performance.now();
  const error = await startDomain(instance, xml).catch((thrown: unknown) => thrown);
  if (spawnedMs === undefined) throw error;
  return spawnedMs - begun;
}

function median(times: readonly number[]): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
