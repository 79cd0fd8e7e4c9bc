import { describe, expect, test } from "bun:test";
import { Glob } from "bun";
import { listLibvirtMessages } from "./libvirt-messages.ts";

const SRC = new URL("../../src/", import.meta.url).pathname;
/** Files whose message or kind is a variable. */
const NOT_SHOWN = ["vm/define/undefine.ts"];

describe("a message that begins as one of libvirt's", () => {
  test("has libvirt's error number", async () => {
    const files = [...new Glob("**/*.ts").scanSync(SRC)].sort();
    const found = await Promise.all(
      files.map(async (file) =>
        listLibvirtMessages(file, await Bun.file(SRC + file).text()).map((one) => ({ file, ...one })),
      ),
    );
    const all = found.flat();
    expect(all.length).toBeGreaterThan(60);
    expect(all.filter(({ expected, given }) => given !== undefined && given !== expected)).toEqual([]);
    const hidden = all.filter(({ given }) => given === undefined).map(({ file }) => file);
    expect([...new Set(hidden)]).toEqual(NOT_SHOWN);
  });

  test.each([
    ['throw new SvirtError(`operation failed: a`, { kind: "failed", remedy });', "INTERNAL_ERROR"],
    ['throw new SvirtError("operation failed: b", { kind: "failed", libvirt: "NO_DOMAIN" });', "NO_DOMAIN"],
    [
      'throw no("operation failed: b", r); function no(m, remedy) { return new SvirtError(m, { kind: "xml", remedy }); }',
      "XML_ERROR",
    ],
    ['const text = "operation failed: b";', undefined],
  ])("is found with the error that the source gives: %s", (source, given) => {
    const [found, ...more] = listLibvirtMessages("a.ts", source);
    expect([found?.expected, found?.given, more]).toEqual(["OPERATION_FAILED", given, []]);
  });
});
