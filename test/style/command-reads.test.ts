import { describe, expect, test } from "bun:test";
import { Glob } from "bun";
import { EXCEPTIONS, listReadsOfCommands } from "./command-reads.ts";
import type { Sources } from "./source-rules.ts";

const SRC = new URL("../../src/", import.meta.url).pathname;
const files = [...new Glob("cli/**/*.ts").scanSync(SRC)];
const sources: Sources = new Map(
  await Promise.all(files.map(async (file) => [file, await Bun.file(SRC + file).text()] as const)),
);

test("src/cli/ reads the host, records and XML by use cases alone", () => {
  expect(listReadsOfCommands(sources)).toEqual([]);
});

test.each([...EXCEPTIONS])("%s needs its exception: %s", (file) => {
  const own: Sources = new Map([[file, sources.get(file) ?? ""]]);
  expect(listReadsOfCommands(own, new Map())).not.toEqual([]);
});

describe("listReadsOfCommands() can fail: ", () => {
  test.each([
    ['import { readRecord } from "../../state/record.ts";', "a record"],
    ['import { type A, readDefinition } from "../../state/definitions.ts";', "a definition"],
    ['import { findDomain } from "../../vm/guest/find-domain.ts";', "a domain"],
    ['const { getCapabilities } = await import("../../report/capabilities.ts");', "a report, when called"],
    ['import { parseDomainText } from "../../domain/document.ts";', "XML"],
    ['const text = call.instance.host.readText("/proc/stat");', "the host"],
    ["function run({ host }: Instance): void {}", "the host of an instance"],
    ["const { host, paths } = call.instance;", "the host of an instance, by name"],
  ])("%s reads %s", (text) => {
    expect(listReadsOfCommands(new Map([["cli/query/a.ts", text]]))).toHaveLength(1);
  });

  test.each([
    ['import type { GuestRecord } from "../../state/record.ts";'],
    ['import { type Step } from "../../run/steps/run-plan.ts";'],
    ['import { listDomains } from "../../vm/query/domain-list.ts";'],
    ['import { formatDomain } from "../../domain/document.ts";'],
    ['const details = "Reads the facts of the host, by call.instance.host.";'],
    ["/** Not instance.host, nor parseDomain(). */"],
  ])("%s is no fault", (text) => {
    expect(listReadsOfCommands(new Map([["cli/query/a.ts", text]]))).toEqual([]);
  });
});
