import { expect, test } from "bun:test";
import { parseDomainText } from "../../../src/domain/document.ts";
import { completedFile } from "../../../src/plan/paths.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { formOf } from "../../../src/vm/guest/domain-form.ts";
import { findDomain } from "../../../src/vm/guest/find-domain.ts";
import { domainXml, makeMachine, nodeOn, UUID } from "../../scenes/scene.ts";

const TEXT = new TextDecoder().decode(domainXml());

test("a form is the stored domain of its XML, and is read from the XML if that has changed", async () => {
  const node = { ...nodeOn(makeMachine()), build: "one" };
  await defineDomain(node, domainXml());
  const found = findDomain(node, UUID);
  const xml = found.definition?.xml ?? "";
  expect(formOf(node, found, "running")).toStrictEqual(parseDomainText(xml));
  const path = completedFile(node.paths, UUID);
  const kept = node.host.readText(path) ?? "";
  // Differs from the XML, to show which of the two is read.
  node.host.writeText(path, kept.replace('"name":"vm1"', '"name":"kept"'), 0o600);
  expect(formOf(node, found, "defined").name).toBe("kept");
  const changed = { uuid: UUID, xml: xml.replace("<name>vm1", "<name>vm2") };
  expect(formOf(node, { definition: undefined, guest: changed }, "defined").name).toBe("vm2");
});

test("a text is parsed once, and a few others do not last", () => {
  const first = parseDomainText(TEXT);
  expect(parseDomainText(TEXT)).toBe(first);
  const others = [1, 2, 3, 4].map((number) => TEXT.replace("<name>vm1", `<name>vm1${number}`));
  expect(others.map((text) => parseDomainText(text).name)).toEqual(["vm11", "vm12", "vm13", "vm14"]);
  expect(parseDomainText(TEXT)).not.toBe(first);
  expect(parseDomainText(TEXT)).toEqual(first);
});
