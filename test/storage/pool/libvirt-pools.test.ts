import { describe, expect, test } from "bun:test";
import { formatPool, parsePool } from "../../../src/storage/pool/document.ts";
import {
  hasRecorded,
  listRecorded,
  readIfRecorded,
  readRecorded,
  whySkipped,
} from "../../network/recorded.ts";

const IN = "storagepoolxml2xmlin";
const OUT = "storagepoolxml2xmlout";
const read = (folder: typeof IN | typeof OUT, name: string): string =>
  formatPool(parsePool(readRecorded(folder, `${name}.xml`)));

describe.skipIf(!hasRecorded(IN))(`storage pools are written as libvirt writes them${whySkipped(IN)}`, () => {
  const names = listRecorded(IN, ".xml");
  const written = names.filter((name) => readIfRecorded(OUT, `${name}.xml`) !== undefined);

  test("are there", () => {
    expect([names.length > 20, written.length > 15]).toEqual([true, true]);
  });

  test.each(written)("%s", (name) => {
    expect(read(IN, name)).toBe(readIfRecorded(OUT, `${name}.xml`) ?? "");
  });

  // libvirt's output of these is not in the data. What is written is read again as the same.
  test.each(names.filter((name) => !written.includes(name)))("%s is read", (name) => {
    const text = read(IN, name);
    expect(formatPool(parsePool(new TextEncoder().encode(text)))).toBe(text);
  });
});

describe.skipIf(!hasRecorded(OUT))(
  `libvirt's own text is read and written unchanged${whySkipped(OUT)}`,
  () => {
    test.each(listRecorded(OUT, ".xml"))("%s", (name) => {
      expect(read(OUT, name)).toBe(readIfRecorded(OUT, `${name}.xml`) ?? "");
    });
  },
);
