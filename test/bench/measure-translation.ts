import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseDomain } from "../../src/domain/document.ts";
import { formatArgv } from "../../src/qemu/domain-argv.ts";
import { xmlWithDisks } from "./many-disks.ts";
import { interleaveHere, type Ratio, timingAt } from "./timings.ts";

/** Domain as virt-install writes it for a guest with a screen. */
const USUAL = fileURLToPath(new URL("usual.xml", import.meta.url));
const UUID = "c7a5fdbd-edaf-9455-926a-d65c16db1809";
const WARM_UP = 300;
const MANY_DISKS = 200;

/** Time of one document inside a warm process, in ms. */
export interface Translation {
  readonly what: string;
  readonly bytes: number;
  readonly medianMs: number;
  readonly leastMs: number;
}

/** Measures reading and translating a usual desktop guest and guests with 20 and 200 disks. */
export function measureTranslation(rounds: number): readonly Translation[] {
  return [
    timed("a usual guest", readFileSync(USUAL), rounds),
    timed("a guest with 20 disks", withDisks(MANY_DISKS / 10), rounds),
    timed("a guest with 200 disks", withDisks(MANY_DISKS), rounds),
  ];
}

/** Compares `svirt validate` with xmllint and libvirt's schema. Returns undefined without the schema. */
export async function measureValidate(
  tools: string,
  svirt: string,
  rounds: number,
): Promise<readonly Ratio[] | undefined> {
  const data = process.env["SVIRT_TEST_DATA"];
  if (data === undefined) return undefined;
  const file = `${tools}/usual.xml`;
  writeFileSync(file, readFileSync(USUAL));
  const timings = await interleaveHere(tools, rounds, [
    `${svirt} validate ${file}`,
    `/usr/bin/xmllint --noout --relaxng ${data}/libvirt/schemas/domain.rng ${file}`,
  ]);
  return [{ what: "validate / xmllint --relaxng", ours: timingAt(timings, 0), over: timingAt(timings, 1) }];
}

function timed(what: string, bytes: Uint8Array, rounds: number): Translation {
  for (let round = 0; round < WARM_UP; round += 1) translate(bytes);
  const times = Array.from({ length: rounds }, () => {
    const begun = performance.now();
    translate(bytes);
    return performance.now() - begun;
  }).sort((a, b) => a - b);
  const at = (index: number): number => times[index] ?? Number.NaN;
  return { what, bytes: bytes.length, medianMs: at(Math.floor(rounds / 2)), leastMs: at(0) };
}

function translate(bytes: Uint8Array): void {
  formatArgv(parseDomain(bytes, UUID));
}

function withDisks(count: number): Uint8Array {
  return xmlWithDisks(Array.from({ length: count }, (_, at) => `/srv/${at}.img`));
}
