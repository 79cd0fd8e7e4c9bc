import { mkdirSync, writeFileSync } from "node:fs";
import { parseDomain } from "../../src/domain/document.ts";
import { decideGuestLabel } from "../../src/labelling/guest-label.ts";
import { withLevel } from "../../src/labelling/guest-level.ts";
import type { Instance } from "../../src/state/instance.ts";
import { RealFolder } from "../real-host/folder.ts";
import { givenNode } from "../real-host/given-node.ts";

const RANGE = "s0-s0:c0.c1023";
const CATEGORIES = 1024;
const TAKEN = [0, 1000, 100_000];
const WARM_UP = 100;

/** Time to choose one guest's level while `taken` others are claimed. */
export interface Choice {
  readonly taken: number;
  readonly medianMs: number;
  readonly leastMs: number;
}

/** Decides the labels of guests with new UUIDs, inside one process, as a start does. */
export async function measureLevelChoice(rounds: number): Promise<readonly Choice[]> {
  // In memory, because it makes 100,000 folders. The measured code looks up one name in a folder, on any file
  // system.
  using folder = new RealFolder("/dev/shm");
  const instance = givenNode(folder.path, RANGE);
  const pairs = scatteredPairs();
  let count = 0;
  const choices: Choice[] = [];
  for (const taken of TAKEN) {
    for (; count < taken; count += 1) take(`${folder.path}/state/claims/level`, pairs.next().value ?? "");
    for (let at = 0; at < WARM_UP; at += 1) await timeChoice(instance, at);
    const times: number[] = [];
    for (let at = 0; at < rounds; at += 1) times.push(await timeChoice(instance, WARM_UP + at));
    times.sort((a, b) => a - b);
    choices.push({
      taken,
      medianMs: times[Math.floor(rounds / 2)] ?? Number.NaN,
      leastMs: times[0] ?? Number.NaN,
    });
  }
  return choices;
}

async function timeChoice(instance: Instance, at: number): Promise<number> {
  const domain = guest(at);
  const begun = performance.now();
  await withLevel(instance, domain, async (offer) => decideGuestLabel(instance, domain, { offer }));
  return performance.now() - begun;
}

function take(claims: string, range: string): void {
  mkdirSync(`${claims}/${range}`, { recursive: true });
  writeFileSync(`${claims}/${range}/somebody`, '{"sharing":"exclusive"}\n');
}

/**
 * Yields every pair of categories once, in steps of seven through the range. Guests that come and go leave
 * such gaps.
 */
function* scatteredPairs(): Generator<string, undefined> {
  const step = 7;
  for (let first = 0; first < step; first += 1) {
    let at = 0;
    for (let low = 0; low < CATEGORIES; low += 1) {
      for (let high = low + 1; high < CATEGORIES; high += 1, at += 1)
        if (at % step === first) yield `s0:c${low},c${high}`;
    }
  }
  return undefined;
}

function guest(at: number) {
  const uuid = crypto.randomUUID();
  const xml = `<domain type='kvm'><name>vm${at}</name><uuid>${uuid}</uuid><memory>65536</memory><os><type>hvm</type></os><devices/></domain>`;
  return parseDomain(new TextEncoder().encode(xml));
}
