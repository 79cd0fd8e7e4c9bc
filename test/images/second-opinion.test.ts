import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import fc from "fast-check";
import * as v from "valibot";
import { SvirtError } from "../../src/errors.ts";
import { parseImageHeader } from "../../src/images/header.ts";

// Runs another program hundreds of times, on a machine that may be busy.
setDefaultTimeout(300_000);

const qemuImg = Bun.which("qemu-img");
const needsQemuImg = qemuImg === null ? " (skipped: qemu-img is missing, install qemu-utils)" : "";
const RUNS = 300;
const SECTOR = 512;
/** End of the header, its extensions and the backing file's name in these images. */
const HEADER_END = 0x240;

const opinion = v.object({
  "virtual-size": v.number(),
  "backing-filename": v.optional(v.string()),
  "backing-filename-format": v.optional(v.string()),
  "format-specific": v.object({
    data: v.object({ "data-file": v.optional(v.string()), "data-file-raw": v.optional(v.boolean()) }),
  }),
});

interface Opinion {
  readonly virtualSizeBytes: number;
  readonly backingFile: string | undefined;
  readonly backingFormat: string | undefined;
  readonly dataFile: string | undefined;
}

// svirt labels and passes exactly the files that it reads in a header. QEMU must not read another file there.
describe.skipIf(qemuImg === null)(`parseImageHeader() beside qemu-img${needsQemuImg}`, () => {
  const folder = mkdtempSync(`${tmpdir()}/svirt-second-`);
  afterAll(() => rmSync(folder, { recursive: true }));
  const make = (...words: readonly string[]): void => {
    const made = Bun.spawnSync([qemuImg ?? "", "create", "-q", "-f", "qcow2", ...words], { cwd: folder });
    if (!made.success) throw new Error(made.stderr.toString());
  };
  beforeAll(() => {
    writeFileSync(`${folder}/base.raw`, new Uint8Array(1 << 20));
    make("-o", "data_file=d.raw", "-b", "base.raw", "-F", "raw", "both.qcow2");
    make("-o", "data_file=e.raw,data_file_raw=on", "data.qcow2", "1M");
    make("-b", "base.raw", "-F", "raw", "overlay.qcow2");
    make("-o", "compat=0.10", "-b", "base.raw", "-F", "raw", "old.qcow2");
  });

  test("names the same backing file, formats and data file, where it accepts what was written over", () => {
    let [accepted, compared] = [0, 0];
    const image = fc.constantFrom("both", "data", "overlay", "old");
    // Changes mostly the meaningful bytes, and bits more often than bytes, so that numbers change little.
    const place = fc.oneof(
      fc.integer({ min: 4, max: 35 }),
      fc.integer({ min: 72, max: 0x98 }),
      fc.nat(HEADER_END),
    );
    const change = fc.tuple(
      place,
      fc.oneof(
        fc.nat(7).map((bit) => 1 << bit),
        fc.nat(255),
      ),
    );
    fc.assert(
      fc.property(image, fc.array(change, { minLength: 1, maxLength: 3 }), (name, changes) => {
        const bytes = readFileSync(`${folder}/${name}.qcow2`);
        for (const [at, mask] of changes) bytes[at] = (bytes[at] ?? 0) ^ mask;
        const ours = parsed(bytes);
        if (ours === undefined) return;
        accepted += 1;
        writeFileSync(`${folder}/changed.qcow2`, bytes);
        const theirs = ask(`${folder}/changed.qcow2`);
        if (theirs === undefined) return;
        compared += 1;
        expect(ours).toEqual(theirs);
      }),
      { numRuns: RUNS },
    );
    // Proves that images are accepted and compared.
    expect([accepted > RUNS / 10, compared > RUNS / 20]).toEqual([true, true]);
  });

  /**
   * Returns qemu-img's reading of the header, or undefined if it does not open the image. A data file must
   * exist.
   */
  function ask(file: string): Opinion | undefined {
    const asked = Bun.spawnSync([qemuImg ?? "", "info", "-U", "--output=json", "-f", "qcow2", file]);
    if (!asked.success) return undefined;
    const said = v.parse(opinion, JSON.parse(asked.stdout.toString()));
    const { data } = said["format-specific"];
    return {
      virtualSizeBytes: said["virtual-size"],
      backingFile: said["backing-filename"],
      backingFormat: said["backing-filename"] === undefined ? undefined : said["backing-filename-format"],
      // It prints the name even without the feature bit, and then opens no such file.
      dataFile: data["data-file-raw"] === undefined ? undefined : data["data-file"],
    };
  }
});

function parsed(bytes: Uint8Array): Opinion | undefined {
  try {
    const { backingFile, backingFormat, dataFile, virtualSizeBytes } = parseImageHeader(bytes, "qcow2");
    return {
      // QEMU counts whole sectors.
      virtualSizeBytes: Math.floor((virtualSizeBytes ?? 0) / SECTOR) * SECTOR,
      backingFile,
      backingFormat: backingFile === undefined ? undefined : backingFormat,
      dataFile,
    };
  } catch (error) {
    expect(error).toBeInstanceOf(SvirtError);
    return undefined;
  }
}
