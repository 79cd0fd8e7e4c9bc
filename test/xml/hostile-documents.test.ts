// In turn: it takes seconds of a processor.
import { expect, test } from "bun:test";
import { parseDomain } from "../../src/domain/document.ts";
import { SvirtError } from "../../src/errors.ts";
import { hostileDocuments } from "./hostile-documents.ts";

/**
 * Limit of processor time, not elapsed time: a busy machine must not fail the test. A whole call may take a
 * second.
 */
const MOST_MICROSECONDS = 900_000;

test.each(hostileDocuments)("parseDomain() refuses $name in time and in one line", ({ make, error }) => {
  const bytes = make();
  const before = process.cpuUsage();
  const thrown = errorOf(bytes);
  const { user, system } = process.cpuUsage(before);
  expect(thrown.kind).toBe("xml");
  expect(thrown.exitCode).toBe(2);
  expect(thrown.message.replace(/^Cannot read /, "")).toMatch(error);
  expect(thrown.message).toStartWith("Cannot read ");
  expect(thrown.message).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
  expect(thrown.message.length).toBeLessThan(400);
  expect(thrown.remedy).toMatch(/^[A-Z].*\.$/);
  expect(user + system).toBeLessThan(MOST_MICROSECONDS);
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
