import { expect, test } from "bun:test";
import { Glob } from "bun";
import { listFalseBrackets } from "./bracket-names.ts";

const SRC = new URL("../../src/", import.meta.url).pathname;
const files = [...new Glob("**/*.ts").scanSync(SRC)].sort();

test("a function that is named withX runs work while X is held", async () => {
  const found = await Promise.all(
    files.map(async (file) => listFalseBrackets(file, await Bun.file(SRC + file).text())),
  );
  expect(found.flat()).toEqual([]);
});

test.each([
  "export function withPort(port: number): number {\n  return port;\n}",
  "const withPort = (port: number): number => port;",
  "function outer(): void {\n  function withPort(): void {}\n  withPort();\n}",
])("listFalseBrackets() finds a copy that is named like a bracket: %j", (text) => {
  expect(listFalseBrackets("a.ts", text)).toEqual(["a.ts: withPort()"]);
});

test.each([
  "export async function withLock<R>(path: string, work: () => Promise<R>): Promise<R> {\n  return await work();\n}",
  "function withFile({ use }: { readonly use: (fd: number) => void }): void {\n  use(1);\n}",
  "export function addPort(port: number): number {\n  return port;\n}",
])("listFalseBrackets() accepts %j", (text) => {
  expect(listFalseBrackets("a.ts", text)).toEqual([]);
});
