import { describe, expect, test } from "bun:test";
import { readDocuments } from "./cases.ts";

const testData = process.env["SVIRT_TEST_DATA"];
const lacks = testData === undefined ? "SVIRT_TEST_DATA is not set" : "xmllint is not installed";
const isSkipped = testData === undefined || Bun.which("xmllint") === null;
const skipped = isSkipped ? ` (skipped: ${lacks})` : "";

describe.skipIf(isSkipped)(`documents of test/data follow libvirt's schema${skipped}`, () => {
  test.each([
    ["network", "network"],
    ["pool", "storagepool"],
    ["volume", "storagevol"],
  ])("%s", async (folder, schema) => {
    const documents = await readDocuments(folder);
    expect(documents.length).toBeGreaterThan(3);
    for (const [name, text] of documents) expect([name, await validate(schema, text)]).toEqual([name, 0]);
  });

  test("a document with another element does not", async () => {
    const [[, text] = ["", ""]] = await readDocuments("network");
    expect(await validate("network", text.replace("</network>", "<other/></network>"))).not.toBe(0);
  });
});

/** Returns the exit code of xmllint(1) for a document under libvirt's schema of this name. */
async function validate(schema: string, text: string): Promise<number> {
  const file = `${testData}/libvirt/schemas/${schema}.rng`;
  const run = Bun.spawn(["xmllint", "--noout", "--relaxng", file, "-"], {
    stdin: new TextEncoder().encode(text),
    stderr: "ignore",
  });
  return await run.exited;
}
