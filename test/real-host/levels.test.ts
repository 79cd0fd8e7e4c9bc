import { describe, expect } from "bun:test";
import { testInTurn } from "../sample.ts";
import { ASIDE, MISSING, RealFolder } from "./folder.ts";

const inTurn = testInTurn(4);

const STARTERS = 8;
const TIMEOUT_MS = 120_000;

/** Lets 8 processes choose levels for `each` guests at the same time, in one state folder. */
async function chooseAtOnce(folder: string, range: string, each: number): Promise<string[]> {
  const starters = Array.from({ length: STARTERS }, (_, at) =>
    Bun.spawn(
      [
        process.execPath,
        `${import.meta.dir}/level-starter.ts`,
        folder,
        range,
        String(at * each),
        String((at + 1) * each - 1),
      ],
      { stdout: "pipe" },
    ),
  );
  const said = await Promise.all(starters.map((starter) => new Response(starter.stdout).text()));
  const codes = await Promise.all(starters.map((starter) => starter.exited));
  expect(codes).toEqual(codes.map(() => 0));
  return said.flatMap((text) => text.trimEnd().split("\n"));
}

describe.skipIf(MISSING !== undefined)(`200 guests whose levels 8 processes choose at once${ASIDE}`, () => {
  inTurn(
    "all have levels and users of their own",
    async () => {
      using folder = new RealFolder();
      const chosen = await chooseAtOnce(folder.path, "s0-s0:c0.c1023", 25);
      expect(chosen).toHaveLength(200);
      expect(new Set(chosen.map((line) => line.split(" ")[0])).size).toBe(200);
      expect(new Set(chosen.map((line) => line.split(" ")[1])).size).toBe(200);
    },
    TIMEOUT_MS,
  );

  inTurn(
    "find the last pair of a range that has just as many",
    async () => {
      using folder = new RealFolder();
      // 21 categories give 21 * 20 / 2 = 210 pairs, so nearly every preferred pair is in use.
      const chosen = await chooseAtOnce(folder.path, "s0-s0:c0.c20", 25);
      expect(new Set(chosen.map((line) => line.split(" ")[0])).size).toBe(200);
    },
    TIMEOUT_MS,
  );
});
