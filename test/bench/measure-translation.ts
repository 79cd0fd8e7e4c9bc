import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseDomain } from "../../src/domain/document.ts";
import { formatArgv } from "../../src/qemu/domain-argv.ts";
import { xmlWithDisks } from "./many-disks.ts";
import { interleaveHere, type Ratio, timingAt } from "./timings.ts";

/** As virt-install writes a guest with a screen. */
const USUAL = fileURLToPath(new URL("usual.xml", import.meta.url));
const UUID = "c7a5fdbd-edaf-9455-926a-d65c16db1809";
const WARM_UP = 300;
const MANY_DISKS = 200;

/** How long one document takes inside a process that has done it often, in ms. */
export interface Translation {
  readonly what: string;
  readonly bytes: number;
  readonly medianMs: number;
  readonly leastMs: number;
}

/** Reading and translating a usual desktop guest, and one with 200 disks. */
export function measureTranslation(rounds: number): readonly Translation[] {
  return [
    timed("a usual guest", readFileSync(USUAL), rounds),
    timed("a guest with 20 disks", withDisks(MANY_DISKS / 10), rounds),
    timed("a guest with 200 disks", withDisks(MANY_DISKS), rounds),
  ];
}

/** `svirt validate` beside xmllint with libvirt's schema. Undefined where that schema is not at hand. */
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
