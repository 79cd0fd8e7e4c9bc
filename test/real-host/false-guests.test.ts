import { describe, expect, test } from "bun:test";
import { type FalseGuest, startFalseGuests } from "./false-guests.ts";
import { RealFolder } from "./folder.ts";

const MIB = 1024 * 1024;
const MOST_RSS_KIB = 150 * 1024;
const ASK = ["qemu-agent-command", "vm1", '{"execute":"guest-file-read"}'];
/** Each test starts several programs. */
const TIMEOUT_MS = 60_000;

/**
 * Runs svirt in a separate process on an instance with these guests. Returns its output and its peak memory.
 */
async function runOn(guests: readonly FalseGuest[], words: readonly string[]) {
  using folder = new RealFolder();
  const stop = await startFalseGuests(folder.path, guests);
  try {
    const program = `${import.meta.dir}/../bench/on-false-guests.ts`;
    const child = Bun.spawn([process.execPath, program, folder.path, ...words], {
      stdout: "pipe",
      stderr: "pipe",
    });
    const [out, err] = await Promise.all([child.stdout.bytes(), child.stderr.text()]);
    const [, message = "", rss = ""] = /^(.*?)\d+ (\d+)\n$/s.exec(err) ?? [];
    return { code: await child.exited, out, message, rssKiB: Number(rss) };
  } finally {
    await stop();
  }
}

test(
  "svirt list tells the guests that answer from those that do not",
  async () => {
    const behaviours = ["answers", "mute", "drips", "floods", "late", "mute-after-greeting", "nested"];
    const { code, message, out } = await runOn(
      behaviours.map((qemu) => ({ qemu })),
      ["list", "--json"],
    );
    expect({ code, message }).toEqual({ code: 0, message: "" });
    const rows = JSON.parse(new TextDecoder().decode(out));
    const found = behaviours.map((behaviour, at) => `${behaviour}: ${rows[at].monitor}`);
    expect(found).toEqual([
      "answers: answers",
      "mute: no answer",
      "drips: no answer",
      "floods: no answer",
      "late: answers",
      "mute-after-greeting: no answer",
      "nested: no answer",
    ]);
  },
  TIMEOUT_MS,
);

describe("svirt qemu-agent-command", () => {
  test(
    "passes 64 MiB of a file on, in less than 150 MiB",
    async () => {
      const bytes = 64 * MIB;
      const { code, message, out, rssKiB } = await runOn(
        [{ qemu: "answers", agent: ["file", String(bytes)] }],
        ASK,
      );
      expect({ code, message }).toEqual({ code: 0, message: "" });
      const head = `{"return":{"count":${bytes},"buf-b64":"QUJDQUJD`;
      const end = 'QUJD","eof":true}}\n\n';
      const text = Buffer.from(out.buffer);
      expect(text.subarray(0, head.length).toString()).toBe(head);
      expect(text.subarray(-end.length).toString()).toBe(end);
      expect(out.length).toBe(`{"return":{"count":${bytes},"buf-b64":"`.length + bytes + end.length - 4);
      expect(rssKiB).toBeGreaterThan(64 * 1024);
      expect(rssKiB).toBeLessThan(MOST_RSS_KIB);
    },
    TIMEOUT_MS,
  );

  test.each([
    [
      "more than 1 MiB besides long texts",
      ["numbers", String(48 * MIB)],
      /more than 1048576 bytes, not counting long texts/,
    ],
    ["an answer without end", ["endless"], /a line has more than 68157440 bytes/],
  ])(
    "refuses %s, in less than 150 MiB",
    async (_, agent, why) => {
      const { code, message, out, rssKiB } = await runOn([{ qemu: "answers", agent }], ASK);
      expect({ code, printed: out.length }).toEqual({ code: 1, printed: 0 });
      expect(message).toMatch(why);
      expect(rssKiB).toBeLessThan(MOST_RSS_KIB);
    },
    TIMEOUT_MS,
  );

  test(
    "with --block ends once QEMU does not say that an agent is connected",
    async () => {
      const { code, message } = await runOn([{ qemu: "answers", agent: ["silent"] }], [...ASK, "--block"]);
      expect([code, message]).toEqual([6, expect.stringContaining("Guest agent is not responding")]);
    },
    TIMEOUT_MS,
  );
});
