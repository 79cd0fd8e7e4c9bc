import { expect, test } from "bun:test";
import { parseDomain } from "../../src/domain/document.ts";
import { SvirtError } from "../../src/errors.ts";
import { hostileDocuments } from "./hostile-documents.ts";

/** The issue allows a second for the whole program; one busy core shall not make this fail. */
const MOST_MS = 900;

test.each(hostileDocuments)("parseDomain() refuses $name in time and in one line", ({ make, error }) => {
  const bytes = make();
  const start = performance.now();
  const thrown = errorOf(bytes);
  const elapsed = performance.now() - start;
  expect(thrown.kind).toBe("xml");
  expect(thrown.exitCode).toBe(2);
  expect(thrown.message.replace(/^Cannot read /, "")).toMatch(error);
  expect(thrown.message).toStartWith("Cannot read ");
  expect(thrown.message).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
  expect(thrown.message.length).toBeLessThan(400);
  expect(thrown.remedy).toMatch(/^[A-Z].*\.$/);
  expect(elapsed).toBeLessThan(MOST_MS);
});

function errorOf(bytes: Uint8Array): SvirtError {
  try {
    parseDomain(bytes);
  } catch (thrown) {
    if (thrown instanceof SvirtError) return thrown;
    throw thrown;
  }
  throw new Error("the document was taken");
}
