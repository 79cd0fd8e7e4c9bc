import { writeDefinition } from "../../src/state/definitions.ts";
import type { Instance } from "../../src/state/instance.ts";
import { Memory } from "../../src/state/memory.ts";
import { lookUpDomain } from "../../src/vm/guest/find-domain.ts";
import { recoverBefore } from "../../src/vm/recover/recover-before.ts";
import { falseNode, writeFalseRecord } from "../real-host/false-guests.ts";
import { RealFolder } from "../real-host/folder.ts";

const COUNTS = [1, 100, 500];
/** Running guests of the last row. */
const GUESTS = 100;
/** Time after which a folder is remembered: src/state/memory.ts. */
const SETTLED_MS = 1100;

/** Time of one look-up on a connection among `definitions`, with the recovery before it. */
export interface LookUp {
  readonly definitions: number;
  readonly guests: number;
  /** The first one of a connection. */
  readonly firstMs: number;
  readonly byUuidMs: number;
  readonly byNameMs: number;
  readonly ofNoneMs: number;
}

/**
 * Measures look-ups of domains that are off, as a connection makes them, inside one process that has made
 * many.
 */
export async function measureLookUp(rounds: number): Promise<readonly LookUp[]> {
  // In memory, as the files of a node that is used are in its cache.
  using folder = new RealFolder("/dev/shm");
  const instance = falseNode(folder.path);
  const found: LookUp[] = [];
  let count = 0;
  for (const definitions of COUNTS) {
    for (; count < definitions; count += 1)
      writeDefinition(instance, { name: nameOf(count), xml: xmlOf(count) });
    found.push({ definitions, guests: 0, ...(await measure(instance, count, rounds)) });
  }
  for (let at = 0; at < GUESTS; at += 1)
    writeFalseRecord(instance, { at, pid: process.pid, uuid: crypto.randomUUID() });
  await Bun.sleep(SETTLED_MS);
  found.push({ definitions: count, guests: GUESTS, ...(await measure(instance, count, rounds)) });
  return found;
}

async function measure(
  plain: Instance,
  count: number,
  rounds: number,
): Promise<Omit<LookUp, "definitions" | "guests">> {
  const all = Array.from({ length: count }, (_, at) => at);
  const middle = async (keys: readonly string[], by: "uuid" | "name", memory?: Memory): Promise<number> => {
    const times: number[] = [];
    for (let at = 0; at < rounds; at += 1) {
      const instance = { ...plain, memory: memory ?? new Memory() };
      times.push(await timeLookUp(instance, by, keys[(at * 7) % keys.length] ?? ""));
    }
    return times.sort((a, b) => a - b)[Math.floor(rounds / 2)] ?? Number.NaN;
  };
  const memory = new Memory();
  const uuids = all.map(uuidOf);
  for (const uuid of uuids) await timeLookUp({ ...plain, memory }, "uuid", uuid);
  return {
    firstMs: await middle(uuids, "uuid"),
    byUuidMs: await middle(uuids, "uuid", memory),
    byNameMs: await middle(all.map(nameOf), "name", memory),
    ofNoneMs: await middle([uuidOf(count)], "uuid", memory),
  };
}

async function timeLookUp(instance: Instance, by: "uuid" | "name", key: string): Promise<number> {
  const begun = performance.now();
  await recoverBefore(instance, [key]);
  try {
    lookUpDomain(instance, by, key);
  } catch {
    // That of none.
  }
  return performance.now() - begun;
}

function nameOf(at: number): string {
  return `defined-${at}`;
}

function uuidOf(at: number): string {
  return `00000000-0000-4000-8000-${String(at).padStart(12, "0")}`;
}

/** A document of the usual length. */
function xmlOf(at: number): string {
  return `<domain type='kvm'>\n  <name>${nameOf(at)}</name>\n  <uuid>${uuidOf(at)}</uuid>\n${"  <!-- usual -->\n".repeat(250)}</domain>\n`;
}
