import { expect, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { Glob } from "bun";
import { generateDocs } from "../../scripts/docs/generate.ts";
import { EXIT_CODES } from "../../scripts/docs/words.ts";
import { type ErrorKind, SvirtError } from "../../src/errors.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const generated = await generateDocs();

for (const [path, text] of generated) {
  test(`${path} is what the commands say (else: bun scripts/write-docs.ts)`, async () => {
    expect(await Bun.file(fileURLToPath(new URL(`../../${path}`, import.meta.url))).text()).toBe(text);
  });
}

test("docs/domain-xml/ has no page that is not generated", () => {
  const found = [...new Glob("docs/domain-xml/**/*").scanSync(ROOT)];
  expect(found.sort()).toEqual(
    [...generated.keys()].filter((path) => path.startsWith("docs/domain-xml/")).sort(),
  );
});

test("every exit code of an error is in the manual", () => {
  const kinds: Readonly<Record<ErrorKind, true>> = {
    failed: true,
    "host-call": true,
    "no-access": true,
    usage: true,
    xml: true,
    unsupported: true,
    "not-found": true,
    "wrong-state": true,
    denied: true,
    "in-use": true,
    timeout: true,
    partly: true,
  };
  const codes = Object.keys(kinds).map(
    (kind) => new SvirtError("", { kind: kind as ErrorKind, remedy: "" }).exitCode,
  );
  expect([...new Set([0, ...codes])].sort()).toEqual(EXIT_CODES.map(([code]) => code));
});
