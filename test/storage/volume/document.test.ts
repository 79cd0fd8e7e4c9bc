import { describe, expect, test } from "bun:test";
import { formatVolume, parseVolume } from "../../../src/storage/volume/document.ts";
import { volume } from "../../../src/storage/volume/document-forms.ts";
import { parseDocument } from "../../../src/xml/parse-document.ts";
import { bytesOf } from "../../domain/corpus.ts";
import { readDocuments } from "../../network/cases.ts";
import { listDeclared, listFilled } from "../../style/declared-places.ts";

const volumes = await readDocuments("volume");
/** Places that libvirt reports and does not read, or that svirt reads without a meaning of their own. */
const REPORTED = /\/(?:physical|timestamps)(?:\/|$)/;

describe("a volume's document", () => {
  test.each(volumes)("%s is written as it is read", (_, text) => {
    expect(formatVolume(parseVolume(bytesOf(text)))).toBe(text);
  });

  test("has every declared place in a document of test/data/volume/", () => {
    const tried = new Set(
      volumes.flatMap(([, text]) => listFilled(volume, parseDocument(bytesOf(text))).map(({ path }) => path)),
    );
    const untried = listDeclared(volume).map(({ path }) => path);
    expect(untried.filter((path) => !tried.has(path) && !REPORTED.test(path))).toEqual([]);
  });
});

const around = (content: string): Uint8Array => bytesOf(`<volume><name>n</name>${content}</volume>`);

describe("a volume is read with libvirt's defaults", () => {
  test.each([
    ["", [undefined, undefined, "raw"]],
    ["<capacity unit='G'>2</capacity>", [2 ** 31, undefined, "raw"]],
    ["<capacity unit='KB'>2</capacity><allocation>0</allocation>", [2000, 0, "raw"]],
    ["<capacity>1</capacity><target><format type='qcow2'/></target>", [1, undefined, "qcow2"]],
    ["<capacity>1</capacity><allocation></allocation>", [1, undefined, "raw"]],
    ["<capacity/><allocation unit='KiB'/>", [undefined, undefined, "raw"]],
  ])("%s", (content, [capacity, allocation, format]) => {
    const { allocationBytes, capacityBytes, target, type } = parseVolume(around(content));
    expect([type, capacityBytes, allocationBytes, target.format?.type]).toEqual([
      "file",
      capacity,
      allocation,
      format as string,
    ]);
  });

  test("without an allocation that of the capacity is written", () => {
    const text = formatVolume(parseVolume(around("<capacity unit='KiB'>4</capacity>")));
    expect(text).toContain(
      "<capacity unit='bytes'>4096</capacity>\n  <allocation unit='bytes'>4096</allocation>",
    );
  });

  test("facts that only the storage knows are dropped: physical size, times, an empty source", () => {
    const text = formatVolume(
      parseVolume(
        around(
          "<source/><physical>7</physical><target><timestamps><mtime>1.000000001</mtime></timestamps></target>",
        ),
      ),
    );
    expect(text).not.toMatch(/physical|timestamps|source/);
  });
});

test.each([
  ["no name", "<volume/>", "/volume/name"],
  ["a size with a sign", "<capacity>-1</capacity>", "/volume/capacity"],
  ["an unknown unit", "<capacity unit='XB'>1</capacity>", "/volume/capacity/@unit"],
  ["a mode of the wrong base", "<target><permissions><mode>0999</mode></permissions></target>", "mode"],
  ["a compat without a dot", "<target><compat>1</compat></target>", "/volume/target/compat"],
  ["a feature that libvirt has not", "<target><features><fast/></features></target>", "features/fast"],
  ["a backing file without its path", "<backingStore><format type='raw'/></backingStore>", "path"],
])("parseVolume() refuses %s at its place", (_, content, place) => {
  const bytes = content.startsWith("<volume") ? bytesOf(content) : around(content);
  expect(() => parseVolume(bytes)).toThrow(place);
});
