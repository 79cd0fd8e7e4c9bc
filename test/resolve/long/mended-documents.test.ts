import { describe, expect, test } from "bun:test";
import { Glob } from "bun";
import type { SvirtError } from "../../../src/errors.ts";
import { inspectLooseDomain } from "../../../src/resolve/complete-domain.ts";
import { parseDocument } from "../../../src/xml/parse-document.ts";
import { Machine } from "../../memory-host/machine.ts";
import { errorIsOfAnotherPlatform, mend, readTree, writeTree } from "./mended-document.ts";

const testData = process.env["SVIRT_TEST_DATA"];
const missing = testData === undefined ? " (skipped: SVIRT_TEST_DATA is not set)" : "";

/** Not a measure: the test reads two thousand documents twice. */
const TEST_MS = 120_000;
const { host } = new Machine().svirt();

/** Refusals of a mended document that are unknown before it is mended. */
const LATER = [
  // The mending itself removed a required part: <os>, <name>, <memory>, a serial port, a display, memory, a
  // NUMA cell.
  /^Cannot read \/domain\/(?:os|name|memory) in line \d+: it is missing$/,
  /^Cannot start the guest: \/domain\/devices\/console: /,
  /^Cannot translate \S+\/@display for QEMU: display='on' requires/,
  /: it has room for \d+ virtual CPUs, and the guest has 1$/,
  /: the guest has no (?:NUMA cell|virtual CPU) \d+$/,
  /: it requires a NUMA cell$/,
  // The document has it under another prefix.
  /^Cannot read \/domain\/qemu:commandline: /,
  // Checks that need an earlier stage: one label, all labels, the buses of a controller, and QEMU's arguments
  // for a device that cannot be read.
  /^Cannot translate \/domain\/os\/type\/@machine for QEMU: /,
  /\/source\/seclabel in line \d+: Cannot specify relabel if label is missing/,
  /\/domain\/seclabel(?:\[\d\])? in line \d+: (?:missing security model|seclabel for model selinux)/,
  /^Cannot translate \/domain\/devices\/controller\[\d+\]\/@model for QEMU: /,
];

describe.skipIf(testData === undefined)(`validate, of the documents of others${missing}`, () => {
  test(
    "lists so much that a document without it is good",
    async () => {
      const folder = `${testData}/libvirt`;
      const mended: Mended[] = [];
      for (const file of new Glob("**/*.xml").scanSync(folder))
        mended.push(...mendOnce(file, await Bun.file(`${folder}/${file}`).bytes()));
      const unforeseen = mended.flatMap(({ file, fresh }) =>
        fresh
          .filter(({ message }) => !LATER.some((pattern) => pattern.test(message)))
          .map(({ message }) => `${file}: ${message}`),
      );
      expect(unforeseen).toEqual([]);
      expect(mended.length).toBeGreaterThan(300);
      expect(mended.filter(({ fresh }) => fresh.length === 0).length).toBeGreaterThan(0.85 * mended.length);
      expect(mended.filter(({ listed }) => listed > 1).length).toBeGreaterThan(0.4 * mended.length);
    },
    TEST_MS,
  );
});

/** Refused document: the number of refusals, and the refusals after all of them were mended. */
interface Mended {
  readonly file: string;
  readonly listed: number;
  readonly fresh: readonly SvirtError[];
}

function mendOnce(file: string, bytes: Uint8Array): readonly Mended[] {
  const refusals = refusalsOf(bytes);
  if (refusals.length === 0 || refusals.some(errorIsOfAnotherPlatform)) return [];
  const mended = mend(readTree(parseDocument(bytes)), refusals);
  const fresh = refusalsOf(new TextEncoder().encode(writeTree(mended)));
  return [{ file, listed: refusals.length, fresh }];
}

/** Returns all refusals of a start, or none for a document that is no domain of QEMU. */
function refusalsOf(bytes: Uint8Array): readonly SvirtError[] {
  const text = new TextDecoder().decode(bytes);
  if (!/<domain[^>]*type=['"](?:kvm|qemu)['"]/.test(text)) return [];
  try {
    const { errors, listStartErrors } = inspectLooseDomain(host, bytes);
    return [...errors, ...listStartErrors()];
  } catch {
    // A document that is no XML has one error only, and nothing to mend.
    return [];
  }
}
