import { expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import { formatDomain, parseDomain } from "../../src/domain/document.ts";
import type { Domain } from "../../src/domain/domain.ts";
import { listResources } from "../../src/domain/resources/resources.ts";
import { SvirtError } from "../../src/errors.ts";
import { runsOf } from "../sample.ts";
import { bytesOf } from "./corpus.ts";
import { randomDomain } from "./random-domain.ts";

// Reads thousands of documents, on a machine that may be busy.
setDefaultTimeout(60_000);

// A fifth of the documents is taken. That fewer than a twentieth of 200 are has a chance below one in a
// million; of the 53 documents of a sample it was one in 500.
const RUNS = Math.max(200, runsOf(1000));

test("what parseDomain() takes of a random document stays the same, written and read again", () => {
  const refusals = new Map<string, number>();
  let taken = 0;
  fc.assert(
    fc.property(randomDomain, (text) => {
      const value = parseOrCount(text, refusals);
      if (value === undefined) return;
      taken += 1;
      const written = formatDomain(value);
      const again = parseDomain(bytesOf(written));
      expect(again).toEqual(value);
      expect(formatDomain(again)).toBe(written);
      expect(listResources(again)).toEqual(listResources(value));
    }),
    { numRuns: RUNS },
  );
  // A refusal must name a contradiction, never a value that the declaration produced.
  expect(
    [...refusals.keys()].filter((message) => / is not (?:one of|a |an |")|does not know/.test(message)),
  ).toEqual([]);
  expect(taken).toBeGreaterThan(RUNS / 20);
});

function parseOrCount(text: string, refusals: Map<string, number>): Domain | undefined {
  try {
    return parseDomain(bytesOf(text), "00000000-0000-4000-8000-000000000001");
  } catch (thrown) {
    if (!(thrown instanceof SvirtError)) throw thrown;
    refusals.set(thrown.message, (refusals.get(thrown.message) ?? 0) + 1);
    return undefined;
  }
}
