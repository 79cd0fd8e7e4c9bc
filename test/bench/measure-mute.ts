import { type FalseGuest, startFalseGuests } from "../real-host/false-guests.ts";
import { RealFolder } from "../real-host/folder.ts";

const MIB = 1024 * 1024;
const ANSWER_MIB = 48;
const AGENT: FalseGuest = { qemu: "answers", agent: ["file", String(ANSWER_MIB * MIB)] };
const ASK = ["qemu-agent-command", "vm1", '{"execute":"guest-file-read"}'];

/** Median time and memory of a command on false guests. */
export interface MuteTiming {
  readonly what: string;
  readonly tookMs: number;
  readonly rssKiB: number;
}

/**
 * Measures `svirt list` with one and three guests, answering and mute, and the largest answer of an agent.
 * Each call is a process: `program` is test/bench/on-false-guests.ts, built as svirt is.
 */
export async function measureMute(program: string, rounds: number): Promise<readonly MuteTiming[]> {
  const timings: MuteTiming[] = [];
  for (const count of [1, 3]) {
    for (const qemu of ["answers", "mute-after-greeting"]) {
      const guests = Array.from({ length: count }, () => ({ qemu }));
      timings.push({
        what: `list, ${count}: ${qemu}`,
        ...(await measure(program, { guests, words: ["list"], rounds })),
      });
    }
  }
  const guests = [AGENT];
  timings.push({
    what: `agent, ${ANSWER_MIB} MiB`,
    ...(await measure(program, { guests, words: ASK, rounds })),
  });
  return timings;
}

async function measure(
  program: string,
  {
    guests,
    rounds,
    words,
  }: { readonly guests: readonly FalseGuest[]; readonly words: readonly string[]; readonly rounds: number },
): Promise<Omit<MuteTiming, "what">> {
  using folder = new RealFolder("/dev/shm");
  const stop = await startFalseGuests(folder.path, guests);
  try {
    const found: (readonly [ms: number, rssKiB: number])[] = [];
    for (let at = 0; at < rounds; at += 1) {
      const begun = performance.now();
      const child = Bun.spawn([program, folder.path, ...words], { stdout: "ignore", stderr: "pipe" });
      const text = await child.stderr.text();
      if ((await child.exited) !== 0) throw new Error(text);
      found.push([performance.now() - begun, Number(text.trim().split(" ")[1])]);
    }
    const middle = (column: 0 | 1): number =>
      found.map((one) => one[column]).sort((a, b) => a - b)[Math.floor(rounds / 2)] ?? Number.NaN;
    return { tookMs: middle(0), rssKiB: middle(1) };
  } finally {
    await stop();
  }
}
