import { describe, expect, test } from "bun:test";
import { recordsFolder, SYSTEM_PATHS } from "../../../src/plan/paths.ts";
import { removeDefinition, writeDefinition } from "../../../src/state/definitions.ts";
import type { Instance } from "../../../src/state/instance.ts";
import { Memory } from "../../../src/state/memory.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { findDomain, lookUpDomain } from "../../../src/vm/guest/find-domain.ts";
import { recoverBefore } from "../../../src/vm/recover/recover-before.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { domainXml, makeMachine, nodeOn, reapAll, UUID } from "../../scenes/scene.ts";

const COUNT = 40;

function uuidOf(at: number): string {
  return `00000000-0000-4000-8000-${String(at).padStart(12, "0")}`;
}

/** Returns an instance that remembers, and the paths of the files that it reads. */
function remembering(machine: Machine): { readonly instance: Instance; readonly read: string[] } {
  const node = nodeOn(machine);
  const read: string[] = [];
  const host: typeof node.host = {
    ...node.host,
    readText(path) {
      if (path.endsWith(".xml") || path.endsWith(".json")) read.push(path);
      return node.host.readText(path);
    },
  };
  return { instance: { ...node, host, memory: new Memory() }, read };
}

async function define(machine: Machine, count: number): Promise<void> {
  for (let at = 0; at < count; at += 1)
    await defineDomain(nodeOn(machine), domainXml({ name: `d${at}`, uuid: uuidOf(at) }));
}

function nameOf(instance: Instance, uuid: string): string {
  try {
    return lookUpDomain(instance, "uuid", uuid).name;
  } catch {
    return "none";
  }
}

describe("a process that answers many calls", () => {
  test("reads one definition to find a domain that it has found before", async () => {
    const machine = makeMachine();
    await define(machine, COUNT);
    const { instance, read } = remembering(machine);
    expect(nameOf(instance, uuidOf(COUNT - 1))).toBe(`d${COUNT - 1}`);
    for (let at = 0; at < COUNT; at += 1) {
      read.length = 0;
      expect(nameOf(instance, uuidOf(at))).toBe(`d${at}`);
      expect(read.filter((path) => path.endsWith(".xml"))).toEqual([`/etc/svirt/domains/d${at}.xml`]);
    }
  });

  test("sees at once what another svirt defines, renames and undefines", async () => {
    const machine = makeMachine();
    const other = nodeOn(machine);
    await define(machine, 2);
    const { instance } = remembering(machine);
    const found = (): string[] => [0, 1, 2].map((at) => nameOf(instance, uuidOf(at)));
    expect(found()).toEqual(["d0", "d1", "none"]);
    await defineDomain(other, domainXml({ name: "d2", uuid: uuidOf(2) }));
    expect(found()).toEqual(["d0", "d1", "d2"]);
    removeDefinition(other, "d0");
    expect(found()).toEqual(["none", "d1", "d2"]);
    // Under its name another domain, and the domain under another name.
    removeDefinition(other, "d1");
    await defineDomain(other, domainXml({ name: "d1", uuid: uuidOf(0) }));
    await defineDomain(other, domainXml({ name: "new", uuid: uuidOf(1) }));
    expect(found()).toEqual(["d1", "new", "d2"]);
    expect(lookUpDomain(instance, "name", "d1").uuid).toBe(uuidOf(0));
  });

  test("sees a definition whose file the administrator has overwritten in place", async () => {
    const machine = makeMachine();
    await define(machine, 2);
    const { instance } = remembering(machine);
    expect([0, 1].map((at) => nameOf(instance, uuidOf(at)))).toEqual(["d0", "d1"]);
    const file = machine.files.get("/etc/svirt/domains/d0.xml");
    const text = new TextDecoder().decode(file.bytes);
    file.bytes = new TextEncoder().encode(text.replace(uuidOf(0), uuidOf(5)));
    expect([0, 5].map((at) => nameOf(instance, uuidOf(at)))).toEqual(["none", "d0"]);
  });

  test("reads no record a third time before a call while nothing changes", async () => {
    const machine = makeMachine();
    await startDomain(nodeOn(machine), domainXml());
    const { instance, read } = remembering(machine);
    for (const keys of ["all", "all", [UUID], ["vm1"]] as const) await recoverBefore(instance, keys);
    expect(read.filter((path) => path.startsWith(`${recordsFolder(SYSTEM_PATHS)}/`)).length).toBe(2);
  });

  test("sees at once that a guest starts, ends by itself and is started under another name", async () => {
    const machine = makeMachine();
    const other = nodeOn(machine);
    const { instance } = remembering(machine);
    const running = async (): Promise<string[]> =>
      (await recoverBefore(instance, "all")).running.map(({ name }) => name);
    const isOn = (key: string): boolean => findDomain(instance, key).guest !== undefined;
    expect(await running()).toEqual([]);
    await startDomain(other, domainXml());
    expect([await running(), isOn("vm1"), isOn("1"), isOn(UUID)]).toEqual([["vm1"], true, true, true]);
    for (const { command, pid } of machine.processes.list())
      if (command.startsWith("qemu")) machine.processes.end(pid, 0);
    expect(await running()).toEqual([]);
    await reapAll(machine);
    await startDomain(other, domainXml({ name: "new" }));
    expect([await running(), isOn("new"), isOn(UUID)]).toEqual([["new"], true, true]);
    expect(() => findDomain(instance, "vm1")).toThrow("failed to get domain 'vm1'");
  });

  test("finds a definition that is written without a definition of the same UUID", () => {
    const machine = makeMachine();
    const { instance } = remembering(machine);
    const xml = `<domain type='kvm'>\n  <name>x</name>\n  <uuid>${UUID}</uuid>\n</domain>\n`;
    writeDefinition(nodeOn(machine), { name: "x", xml });
    expect(nameOf(instance, UUID)).toBe("x");
  });
});
