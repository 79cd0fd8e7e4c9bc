import { describe, expect, test } from "bun:test";
import { describe as describeStep } from "../../../src/plan/steps/describe.ts";
import { readRecord } from "../../../src/state/record.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { planDomainStart, startDomain } from "../../../src/vm/start/start.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { recordOf } from "../../scenes/hotplug.ts";
import { domainXml, errorOf, makeMachine, nodeOn, reapAll, sweepAll, UUID } from "../../scenes/scene.ts";
import { beStruck, instantsOf, type Work } from "../../scenes/strikes.ts";

const TIMEOUT_MS = 120_000;
const OTHER = "bbbbbbbb-0000-4000-8000-00000000000b";
const screen = (words = "", more = ""): string => `<graphics type='vnc' ${words}>${more}</graphics>`;

async function started(machine: Machine, devices: string): Promise<void> {
  await startDomain(nodeOn(machine), domainXml({ devices }));
}

async function planned(machine: Machine, devices: string): Promise<string> {
  const steps = await planDomainStart(nodeOn(machine), domainXml({ devices }));
  return steps.map(describeStep).join("\n");
}

describe("a screen on TCP", () => {
  test("is on the first free port from 5900 on: svirt listens, QEMU is told nothing but that it has one", async () => {
    const machine = makeMachine();
    await started(machine, screen());
    const words = machine.processes.qemuOf(UUID)?.words ?? [];
    expect(words[words.indexOf("-vnc") + 1]).toStartWith("none");
    expect(recordOf(machine).xml).toContain("port='5900' autoport='yes' listen='127.0.0.1'");
    await startDomain(
      nodeOn(machine),
      domainXml({ devices: screen("port='-1' listen='0.0.0.0'"), name: "vm2", uuid: OTHER }),
    );
    expect(readRecord(nodeOn(machine), OTHER)?.xml).toContain("port='5901' autoport='yes' listen='0.0.0.0'");
  });

  test("is gone with its guest, and the port is another's", async () => {
    const machine = makeMachine();
    const before = snapshot(machine);
    await started(machine, screen("port='5910'"));
    await destroyDomain(nodeOn(machine), "vm1");
    await reapAll(machine);
    expect(snapshot(machine)).toEqual(before);
  });

  test("takes no port on which another program listens", async () => {
    const machine = makeMachine();
    machine.ports.hand({ address: "127.0.0.1", port: 5900 }, 1);
    expect(await planned(machine, screen())).toContain(
      "pass QEMU a socket for its display, on 127.0.0.1:5901",
    );
    const { kind, message } = await errorOf(started(machine, screen("port='5900'")));
    expect([kind, message]).toEqual([
      "in-use",
      "Cannot assign port 5900 to the guest's display: another program listens on it",
    ]);
  });

  test.each([
    ["port='6000'", "5900 to 5999"],
    ["port='5900' listen='node.example'", "does not resolve host names: node.example"],
  ])("is refused where it could not be kept from other guests, or not be found: %s", async (words, why) => {
    const machine = makeMachine();
    const { kind, message } = await errorOf(started(machine, screen(words)));
    expect([kind, message]).toEqual(["unsupported", expect.stringContaining(why)]);
  });

  test.each([
    ["", "<listen type='socket'/>"],
    ["", "<listen type='none'/>"],
    ["socket='/run/v'", ""],
  ])("is not made for a screen that is elsewhere: %s %s", async (words, more) => {
    const plan = await planned(makeMachine(), screen(words, more)).catch(String);
    expect(plan).not.toContain("for its display");
  });
});

const start: Work = (node) => startDomain(node, domainXml({ devices: screen() }));

test(
  "a start that is killed before, within or after any call leaves no port taken",
  async () => {
    const clean = snapshot(makeMachine());
    for (const strike of await instantsOf(async () => makeMachine(), start)) {
      const machine = makeMachine();
      await beStruck(machine, start, strike);
      await sweepAll(machine);
      await reapAll(machine);
      const place = `${strike.moment} call ${strike.at}`;
      if (machine.processes.qemuOf(UUID) === undefined)
        expect([place, ...snapshot(machine)]).toEqual([place, ...clean]);
      else expect([place, recordOf(machine).xml]).toEqual([place, expect.stringContaining("port='5900'")]);
    }
  },
  TIMEOUT_MS,
);
