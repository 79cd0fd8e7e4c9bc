import { describe, expect, test } from "bun:test";
import { readReason } from "../../../src/state/shutoff-reason.ts";
import { suspendGuest } from "../../../src/vm/lifecycle/ask-guest.ts";
import { dumpDomain } from "../../../src/vm/save/dump-domain.ts";
import { type Picture, takeScreenshot } from "../../../src/vm/save/screenshot.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { FILE, fileText, machineWithGuest, PRIVATE, REMEMBERED, stateOf } from "../../scenes/saving.ts";
import { errorOf, labelOf, makeMachine, nodeOn, reapAll, UUID } from "../../scenes/scene.ts";

describe("a dump", () => {
  const options = { format: "elf", live: false, afterwards: "go-on" } as const;
  const dump = (machine: Machine, more: object = {}) =>
    dumpDomain(nodeOn(machine), "vm1", { path: FILE, options: { ...options, ...more } });

  test.each([
    ["of memory alone", {}, `elf of ${REMEMBERED}`],
    ["of memory alone, live", { live: true }, `elf of ${REMEMBERED}`],
    ["of all, as QEMU writes it", { format: undefined }, `QEVM${REMEMBERED}`],
  ])("%s leaves the guest as it was, and a file that never carried its label", async (_, more, text) => {
    const machine = await machineWithGuest();
    const before = stateOf(machine);
    await dump(machine, more);
    expect(fileText(machine, FILE)).toBe(text);
    expect(labelOf(machine, FILE)).not.toMatch(PRIVATE);
    machine.files.remove(FILE);
    expect([...stateOf(machine), ...machine.violations]).toEqual(before);
  });

  test("of a paused guest leaves it paused", async () => {
    const machine = await machineWithGuest();
    await suspendGuest(nodeOn(machine), "vm1");
    await dump(machine);
    expect(machine.processes.qemuOf(UUID)?.status).toBe("paused");
  });

  test("with --crash ends the guest, with --reset resets it", async () => {
    const machine = await machineWithGuest();
    await dump(machine, { afterwards: "reset" });
    const guest = machine.processes.qemuOf(UUID);
    expect([guest?.stream?.memory, guest?.status]).toEqual(["as it booted", "running"]);
    await dump(machine, { afterwards: "end" });
    await reapAll(machine);
    expect([machine.liveGuests(), readReason(nodeOn(machine), UUID)]).toEqual([[], "crashed"]);
    machine.files.remove(FILE);
    expect(snapshot(machine)).toEqual(snapshot(makeMachine()));
  });

  test("that QEMU refuses leaves the guest as it was, and no file", async () => {
    const machine = await machineWithGuest();
    const before = stateOf(machine);
    machine.qemu = { refuses: "dump-guest-memory" };
    await errorOf(dump(machine));
    expect(stateOf(machine)).toEqual(before);
  });
});

describe("a screenshot", () => {
  const VIDEO = "<video><model type='vga' heads='1'/></video>";
  const options = {
    screen: 0,
    pathFor: ({ type }: Picture) => `${FILE}.${type.replace(/^.*[/-]/, "")}`,
  };

  test.each([
    ["as PNG", {}, "png"],
    ["as PPM where QEMU has no PNG", { lacksPng: true }, "ppm"],
  ])(
    "is written %s, drawn into a file of the guest's label and kept in one that never had it",
    async (_, qemu, format) => {
      const machine = await machineWithGuest(VIDEO);
      const before = stateOf(machine);
      machine.qemu = qemu;
      const { path } = await takeScreenshot(nodeOn(machine), "vm1", options);
      expect(fileText(machine, path)).toBe(`${format} of ${REMEMBERED}`);
      expect(labelOf(machine, path)).not.toMatch(PRIVATE);
      machine.files.remove(path);
      expect([...stateOf(machine), ...machine.violations]).toEqual(before);
    },
  );

  test("of a guest without a screen, or of one that is not there, is refused in libvirt's words", async () => {
    const blind = await machineWithGuest();
    const error = await errorOf(takeScreenshot(nodeOn(blind), "vm1", options));
    expect(error.message).toBe("Requested operation is not valid: no screens to take screenshot from");
    const seeing = await machineWithGuest(VIDEO);
    const second = await errorOf(takeScreenshot(nodeOn(seeing), "vm1", { ...options, screen: 1 }));
    expect(second.message).toBe("Requested operation is not valid: no such screen ID");
  });

  test("that QEMU refuses leaves nothing", async () => {
    const machine = await machineWithGuest(VIDEO);
    const before = stateOf(machine);
    machine.qemu = { refuses: "screendump" };
    await errorOf(takeScreenshot(nodeOn(machine), "vm1", options));
    expect(stateOf(machine)).toEqual(before);
  });
});
