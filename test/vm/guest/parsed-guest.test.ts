import { expect, test } from "bun:test";
import { parseDomainText } from "../../../src/domain/document.ts";
import { parsedFile } from "../../../src/plan/paths.ts";
import type { Instance } from "../../../src/state/instance.ts";
import { writeKeptDomain } from "../../../src/state/kept-domain.ts";
import { readRecord } from "../../../src/state/record.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { findDomain } from "../../../src/vm/guest/find-domain.ts";
import { keepParsed } from "../../../src/vm/guest/parsed-guest.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { hostCall } from "../../memory-host/file-tree.ts";
import { domainXml, makeMachine, nodeOn, UUID } from "../../scenes/scene.ts";

/** Returns a node on which a guest runs. With another title its XML is one that has not been parsed yet. */
async function running(title: string, build: { readonly build?: string } = { build: "one" }) {
  const node: Instance = { ...nodeOn(makeMachine()), ...build };
  await startDomain(node, new TextEncoder().encode(textOf(title)));
  const path = parsedFile(node.paths, UUID);
  return { node, path, guest: guestOf(node), fileOf: () => node.host.readText(path) };
}

function textOf(title: string): string {
  return new TextDecoder().decode(domainXml()).replace("<memory", `<title>${title}</title><memory`);
}

function guestOf(node: Instance) {
  const guest = findDomain(node, UUID).guest;
  if (guest === undefined) throw new Error("it does not run");
  return guest;
}

/** Has parseDomainText() forget all that this process has parsed. */
function forgetParsed(): void {
  for (const number of [1, 2, 3, 4, 5]) parseDomainText(textOf(`other ${number}`));
}

test("the first command on a guest keeps its parsed domain, and the next one reads it", async () => {
  const { fileOf, guest, node, path } = await running("first");
  forgetParsed();
  const domain = parseDomainText(guest.xml);
  const text = fileOf() ?? "";
  expect(text).toContain('"title":"first"');
  // Differs from the XML, to show which of the two is read.
  node.host.writeText(path, text.replace('"title":"first"', '"title":"kept"'), 0o600);
  forgetParsed();
  expect(parseDomainText(guestOf(node).xml)).toStrictEqual({ ...domain, title: "kept" });
});

test("what another build or another XML has left is not read", async () => {
  const { fileOf, guest, node, path } = await running("second");
  const other = { ...parseDomainText(guest.xml), title: "other" };
  for (const [build, xml] of [
    ["two", guest.xml],
    ["one", `${guest.xml} `],
  ] as const) {
    writeKeptDomain({ ...node, build }, { path, xml }, other);
    expect(fileOf()).toContain('"title":"other"');
    forgetParsed();
    expect(parseDomainText(guestOf(node).xml).title).toBe("second");
    expect(fileOf()).toContain('"title":"second"');
  }
});

test("a file that is cut off, or that nobody can write, costs a parse and nothing else", async () => {
  const { fileOf, guest, node, path } = await running("third");
  forgetParsed();
  const domain = parseDomainText(guest.xml);
  node.host.writeText(path, (fileOf() ?? "").slice(0, -9), 0o600);
  forgetParsed();
  expect(parseDomainText(guestOf(node).xml)).toStrictEqual(domain);
  const fails = (): never => {
    throw hostCall("write", "ENOSPC: no space left on device");
  };
  node.host.removeFile(path);
  keepParsed({ ...node, host: { ...node.host, writeVolatile: fails } }, guest);
  forgetParsed();
  expect(parseDomainText(guest.xml)).toStrictEqual(domain);
});

test("the end of a guest removes its file, and a command that comes late leaves none", async () => {
  const { fileOf, guest, node } = await running("fourth");
  forgetParsed();
  parseDomainText(guest.xml);
  expect(fileOf()).toBeDefined();
  await destroyDomain(node, UUID);
  expect(readRecord(node, UUID)).toBeUndefined();
  expect(fileOf()).toBeUndefined();
  forgetParsed();
  parseDomainText(guest.xml);
  expect(fileOf()).toBeUndefined();
});

test("without a build, nothing is kept", async () => {
  const { fileOf, guest } = await running("fifth", {});
  forgetParsed();
  parseDomainText(guest.xml);
  expect(fileOf()).toBeUndefined();
});
