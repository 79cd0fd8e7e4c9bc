import { describe, expect, test } from "bun:test";
import { completedFile } from "../../src/plan/paths.ts";
import { completeDefinition } from "../../src/resolve/completed-definition.ts";
import { type Definition, readDefinition, writeDefinition } from "../../src/state/definitions.ts";
import type { Instance } from "../../src/state/instance.ts";
import { readRecord } from "../../src/state/record.ts";
import { defineDomain } from "../../src/vm/define/define.ts";
import { undefineDomain } from "../../src/vm/define/undefine.ts";
import { startDefinition } from "../../src/vm/start/start.ts";
import type { Machine } from "../memory-host/machine.ts";
import { ALL_DEVICES, ALL_KINDS, domainXml, makeMachine, nodeOn, UUID } from "../scenes/scene.ts";

const XML = domainXml({ disks: ALL_KINDS, devices: `${ALL_DEVICES}<interface type='user'/>` });
const MEMORY_KIB = 65_536;
const MEMORY = `"memory":{"unit":"KiB","kiB":${MEMORY_KIB}}`;

function builtNode(machine: Machine, build = "one"): Instance {
  return { ...nodeOn(machine), build };
}

async function defined(instance: Instance): Promise<Definition> {
  await defineDomain(instance, XML);
  return definitionOf(instance);
}

function definitionOf(instance: Instance): Definition {
  const definition = readDefinition(instance, "vm1");
  if (definition === undefined) throw new Error("it is not defined");
  return definition;
}

/** Changes the memory size of the kept form, which tells it from the 64 MiB of the XML. */
function changeKept(instance: Instance): void {
  const path = completedFile(instance.paths, UUID);
  const text = instance.host.readText(path) ?? "";
  expect(text.split(MEMORY)).toHaveLength(2);
  instance.host.writeText(path, text.replace(MEMORY, '"memory":{"kiB":1}'), 0o600);
}

/** Parses the kept form, which follows the key. The key ends with the XML. */
function keptIn(text: string): unknown {
  return JSON.parse(text.slice(text.indexOf("</domain>\n{") + "</domain>\n".length));
}

async function memoryOf(instance: Instance): Promise<number> {
  return (await completeDefinition(instance, definitionOf(instance))).domain.memory.kiB;
}

describe("completeDefinition()", () => {
  test("takes what a definition was made of, without reading its XML", async () => {
    const instance = builtNode(makeMachine());
    await defined(instance);
    changeKept(instance);
    expect(await memoryOf(instance)).toBe(1);
  });

  test("reads XML that somebody has changed by hand, and keeps that when it says all", async () => {
    const instance = builtNode(makeMachine());
    const { name, xml } = await defined(instance);
    changeKept(instance);
    writeDefinition(instance, { name, xml: xml.replaceAll(`${MEMORY_KIB}`, "131072") });
    expect(await memoryOf(instance)).toBe(131_072);
    expect(instance.host.readText(completedFile(instance.paths, UUID))).toContain(
      MEMORY.replace("65536", "131072"),
    );
  });

  test("does not keep what leaves something open: it is decided anew each time", async () => {
    const instance = builtNode(makeMachine());
    const { name, xml } = await defined(instance);
    const open = xml.replace(/ *<mac address='[^']*'\/>\n/, "");
    expect(open).not.toBe(xml);
    writeDefinition(instance, { name, xml: open });
    const { domain, xml: kept } = await completeDefinition(instance, definitionOf(instance));
    expect([domain.devices.interfaces.length, kept]).toEqual([1, undefined]);
    expect(instance.host.readText(completedFile(instance.paths, UUID))).not.toContain(open);
  });

  test.each([
    ["cut short", (text: string) => text.slice(0, -1)],
    ["empty", () => ""],
    ["of zeros", (text: string) => "\0".repeat(text.length)],
    ["of another XML", (text: string) => text.replace("<name>vm1", "<name>vm2")],
  ])("reads the XML where what was kept is %s, and keeps it anew", async (_, damage) => {
    const instance = builtNode(makeMachine());
    await defined(instance);
    const path = completedFile(instance.paths, UUID);
    const whole = instance.host.readText(path) ?? "";
    instance.host.writeText(path, damage(whole), 0o600);
    expect(await memoryOf(instance)).toBe(MEMORY_KIB);
    const anew = instance.host.readText(path) ?? "";
    expect(keptIn(anew)).toEqual(keptIn(whole));
  });

  test("reads the XML where another svirt kept it, and keeps it for itself", async () => {
    const machine = makeMachine();
    await defined(builtNode(machine));
    changeKept(builtNode(machine));
    const other = builtNode(machine, "two");
    expect(await memoryOf(other)).toBe(MEMORY_KIB);
    expect(other.host.readText(completedFile(other.paths, UUID))).toStartWith("two\n");
  });

  test("does not keep what the host's firmware is part of: a start chooses again", async () => {
    const instance = builtNode(makeMachine());
    await defineDomain(instance, domainXml());
    const { name, xml } = definitionOf(instance);
    const loader = "<loader readonly='yes' type='rom' format='raw'>/usr/share/seabios/bios.bin</loader>";
    writeDefinition(instance, { name, xml: xml.replace("</type>\n", `</type>\n    ${loader}\n`) });
    expect((await completeDefinition(instance, definitionOf(instance))).domain.os.loader).toBeDefined();
    expect(instance.host.readText(completedFile(instance.paths, UUID))).not.toContain("<loader");
    await defineDomain(instance, new TextEncoder().encode(definitionOf(instance).xml));
    expect(instance.host.readText(completedFile(instance.paths, UUID))).not.toContain("<loader");
  });

  test("keeps nothing where svirt cannot tell itself from another", async () => {
    const node = nodeOn(makeMachine());
    await defined(node);
    expect(await memoryOf(node)).toBe(MEMORY_KIB);
    expect(node.host.readText(completedFile(node.paths, UUID))).toBeUndefined();
  });
});

test("startDefinition() makes the same guest of what was kept as of the XML", async () => {
  const [kept, read] = [builtNode(makeMachine()), nodeOn(makeMachine())];
  const { xml } = await defined(kept);
  await startDefinition(kept, definitionOf(kept));
  writeDefinition(read, { name: "vm1", xml });
  await startDefinition(read, definitionOf(read));
  const [one, other] = [readRecord(kept, UUID), readRecord(read, UUID)];
  expect(one).toBeDefined();
  expect(one).toEqual(other);
});

test("undefineDomain() forgets what was kept", async () => {
  const instance = builtNode(makeMachine());
  await defined(instance);
  await undefineDomain(instance, "vm1");
  expect(instance.host.readText(completedFile(instance.paths, UUID))).toBeUndefined();
});
