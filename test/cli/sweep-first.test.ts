import { describe, expect, test } from "bun:test";
import { guestPaths, recordsFolder, SYSTEM_PATHS } from "../../src/plan/paths.ts";
import { readRecord, writeRecord } from "../../src/state/record.ts";
import { startDomain } from "../../src/vm/start/start.ts";
import { type Machine, snapshot } from "../memory-host/machine.ts";
import { ALL_KINDS, domainXml, makeMachine, nodeOn, UUID } from "../scenes/scene.ts";
import { runOn } from "./in-memory.ts";

const OTHER = "00000000-0000-4000-8000-00000000000d";

async function running(): Promise<Machine> {
  const machine = makeMachine();
  await startDomain(nodeOn(machine), domainXml({ disks: ALL_KINDS }));
  return machine;
}

/**
 * Returns a machine whose guest ended unnoticed: QEMU and its reaper are gone, the record and labels remain.
 */
async function leftBehind(): Promise<Machine> {
  const machine = await running();
  for (const { pid, role } of machine.processes.list()) {
    if (role !== "other") machine.processes.end(pid, 137);
  }
  return machine;
}

describe("what a killed svirt has left", () => {
  test.each(["list", "version", "capabilities", "doctor", "recover"])(
    "is finished by svirt %s",
    async (word) => {
      const machine = await leftBehind();
      await runOn(machine, word);
      expect(snapshot(machine)).toEqual(snapshot(makeMachine()));
    },
  );

  test("is shown by svirt audit, which changes nothing", async () => {
    const machine = await leftBehind();
    const before = snapshot(machine);
    const { code, out } = await runOn(machine, "audit");
    expect(code).toBe(1);
    expect(out).toContain("vm1: has ended and is not cleaned up; run svirt recover");
    expect(snapshot(machine)).toEqual(before);
  });
});

test("what a QEMU says that somebody has taken over moves no cursor, whichever command tells of it", async () => {
  const machine = await running();
  const node = nodeOn(machine);
  const guest = readRecord(node, UUID);
  if (guest === undefined) throw new Error("the guest has no record");
  const { monitor } = guestPaths(SYSTEM_PATHS, UUID);
  const steps = [{ do: "save-memory", monitor, to: "/x" } as const];
  writeRecord(node, { ...guest, change: { what: "save", stage: "doing", steps, after: [], xml: guest.xml } });
  const ram = { total: "\u001b[2J\nerror: all is well", remaining: 0 };
  machine.qemu = { answers: new Map([["query-migrate", { status: "active", ram }]]) };
  for (const words of [["list"], ["domstate", "vm1"], ["recover"]]) {
    const { err } = await runOn(machine, ...words);
    expect(err).toContain("?[2J error: all is well");
    expect(err).toMatch(/^(?:(?:warning|error|remedy): [^\p{Cc}]*\n)+$/u);
  }
});

describe("a damaged record", () => {
  async function damaged(): Promise<Machine> {
    const machine = await running();
    machine.files.put("/other.xml", "file", { bytes: domainXml({ name: "vm2", uuid: OTHER }) });
    await runOn(machine, "define", "/other.xml");
    const bytes = new TextEncoder().encode('{"format":1,"uuid":');
    machine.files.put(guestPaths(SYSTEM_PATHS, OTHER).record, "file", { bytes });
    return machine;
  }

  test("is told of, and stops nobody else's affairs", async () => {
    const machine = await damaged();
    const path = `${recordsFolder(SYSTEM_PATHS)}/${OTHER}.json`;
    const listed = await runOn(machine, "list", "--name");
    expect(listed).toMatchObject({ code: 0, out: "vm1\n" });
    expect(listed.err).toContain(`warning: Cannot read the record ${path}: it is damaged\nremedy: `);
    const recovered = await runOn(machine, "recover");
    expect(recovered).toMatchObject({ code: 7, out: "" });
    expect(recovered.err).toMatch(/^error: Cannot read the record \S+: it is damaged\nremedy: \S.*\n$/);
    expect(await runOn(machine, "destroy", UUID)).toMatchObject({ code: 0 });
  });

  test("stops what is asked of its own domain: nobody can tell whether that runs", async () => {
    const machine = await damaged();
    for (const key of ["vm2", OTHER])
      for (const command of ["destroy", "shutdown", "domstate", "undefine", "start"]) {
        const { code, err } = await runOn(machine, command, key);
        expect({ key, command, code }).toEqual({ key, command, code: 1 });
        expect(err).toContain(`error: Cannot read the record `);
      }
  });

  test("is a finding of svirt audit", async () => {
    const { code, out } = await runOn(await damaged(), "audit");
    expect(code).toBe(1);
    expect(out).toContain(`${OTHER}.json: it is damaged`);
    expect(out).not.toContain("which has no record");
  });
});
