import { describe, expect, test } from "bun:test";
import { limitTable } from "../../../../src/network/filter/tap-rules.ts";
import type { Machine } from "../../../memory-host/machine.ts";
import { domainXml, makeMachine, UUID } from "../../../scenes/scene.ts";
import { runOn } from "../../in-memory.ts";

const CARD =
  "<interface type='bridge'><mac address='52:54:00:00:00:09'/><source bridge='br0'/><bandwidth>" +
  "<inbound average='1000' peak='2000' burst='64'/><outbound average='500'/></bandwidth></interface>";
const TABLE = `netdev ${limitTable(UUID, "vnet0")}`;

async function running(): Promise<Machine> {
  const machine = makeMachine();
  machine.taps.addBridge("br0");
  machine.files.put("/vm.xml", "file", { bytes: domainXml({ devices: CARD }) });
  expect((await runOn(machine, "define", "/vm.xml")).err).toBe("");
  expect((await runOn(machine, "start", "vm1")).err).toBe("");
  return machine;
}

const shapeOf = (machine: Machine): unknown => {
  const found = machine.files.find("/sys/class/net/vnet0/shape");
  return found === undefined ? undefined : JSON.parse(new TextDecoder().decode(found.inode.bytes));
};
const show = async (machine: Machine, ...more: readonly string[]): Promise<string> =>
  (await runOn(machine, "domiftune", "vm1", "52:54:00:00:00:09", ...more)).out;

describe("svirt domiftune", () => {
  // cmdDomIftune() of virsh, qemuDomainGetInterfaceParameters() of libvirt
  test("shows the limits as virsh does, and the start has applied them", async () => {
    const machine = await running();
    expect((await runOn(machine, "domiftune", "vm1", "vnet0")).out).toBe(
      [
        "inbound.average: 1000",
        "inbound.peak   : 2000",
        "inbound.burst  : 64",
        "inbound.floor  : 0",
        "outbound.average: 500",
        "outbound.peak  : 0",
        "outbound.burst : 0",
        "",
        "",
      ].join("\n"),
    );
    expect(shapeOf(machine)).toEqual({
      bytesPerSecond: 1_000_000,
      peakBytesPerSecond: 2_000_000,
      burstBytes: 65_536,
    });
    // A burst is 500 KiB without another, of which nft has the rate.
    expect(machine.packetRules.tables.get(TABLE)).toContain(
      "limit rate over 500000 bytes/second burst 12000 bytes counter drop",
    );
  });

  test("changes the running guest alone, or the definition", async () => {
    const machine = await running();
    const live = await runOn(
      machine,
      "domiftune",
      "vm1",
      "vnet0",
      "--inbound",
      "10",
      "--outbound",
      "20,0,40",
      "--live",
    );
    expect(live).toMatchObject({ code: 0, err: "" });
    expect(shapeOf(machine)).toEqual({ bytesPerSecond: 10_000, peakBytesPerSecond: 10_000 });
    expect(machine.packetRules.tables.get(TABLE)).toContain("rate over 20000 bytes/second burst 20960 bytes");
    expect(await show(machine)).toContain("outbound.burst : 40\n");
    expect(await show(machine, "--config")).toContain("inbound.average: 1000\n");
    const name = "52:54:00:00:00:09";
    const config = await runOn(machine, "domiftune", "vm1", name, "--inbound", "7", "--config");
    expect(config).toMatchObject({ code: 0, err: "" });
    expect(await show(machine, "--config")).toContain("inbound.average: 7\n");
    expect(shapeOf(machine)).toEqual({ bytesPerSecond: 10_000, peakBytesPerSecond: 10_000 });
  });

  // qemuDomainSetInterfaceParameters() of libvirt changes each document by itself.
  test("changes a side in both, and the other side stays as each has it", async () => {
    const machine = await running();
    const name = "52:54:00:00:00:09";
    await runOn(machine, "domiftune", "vm1", name, "--outbound", "30", "--live");
    const both = await runOn(machine, "domiftune", "vm1", name, "--inbound", "7", "--live", "--config");
    expect(both).toMatchObject({ code: 0, err: "" });
    const [live, config] = [await show(machine), await show(machine, "--config")];
    expect(live).toContain("inbound.average: 7\n");
    expect(config).toContain("inbound.average: 7\n");
    expect(live).toContain("outbound.average: 30\n");
    expect(config).toContain("outbound.average: 500\n");
  });

  test("removes a limit whose average is 0, and the end of the guest the rest", async () => {
    const machine = await running();
    await runOn(machine, "domiftune", "vm1", "vnet0", "--inbound", "0", "--outbound", "0");
    expect([shapeOf(machine), machine.packetRules.tables.size]).toEqual([undefined, 0]);
    expect((await runOn(machine, "dumpxml", "vm1")).out).not.toContain("<bandwidth>");
    await runOn(machine, "domiftune", "vm1", "vnet0", "--outbound", "5");
    expect([...machine.packetRules.tables.keys()]).toEqual([TABLE]);
    await runOn(machine, "destroy", "vm1");
    expect([...machine.packetRules.tables.keys()]).toEqual([]);
  });

  test.each([
    ["inbound", "1,2,3,4,5", "Rate string '1,2,3,4,5' has too many fields"],
    ["inbound", "x", "field 'average' is malformed"],
    ["inbound", "1,-2", "field 'peak' is malformed"],
    ["inbound", "1,2, 3x", "field 'burst' is malformed"],
    ["inbound", "0,5", "either inbound average or floor is mandatory"],
    ["outbound", ",,5", "outbound average is mandatory"],
    ["outbound", "1,2,3,4", "outbound floor is unsupported yet"],
    ["inbound", "4294967296", "inbound rate larger than maximum 4294967295"],
    ["inbound", "1,2,3,4", "only an interface of type network can have a guaranteed bandwidth"],
  ])("refuses --%s %s: %s", async (side, text, message) => {
    const { code, err } = await runOn(await running(), "domiftune", "vm1", "vnet0", `--${side}`, text);
    expect([code, err]).toEqual([2, expect.stringContaining(message)]);
  });

  // virshParseRateStr() of virsh: 'average,,burst' is legal.
  test.each([
    ["8,,9", ["8", "0", "9"]],
    ["8,", ["8", "0", "0"]],
    ["8,9,,0", ["8", "9", "0"]],
    ["", ["0", "0", "0"]],
  ])("reads %p as virsh does", async (text, [average, peak, burst]) => {
    const machine = await running();
    const { code, err } = await runOn(machine, "domiftune", "vm1", "vnet0", "--inbound", text);
    expect([code, err]).toEqual([0, ""]);
    expect(await show(machine)).toContain(
      `inbound.average: ${average}\ninbound.peak   : ${peak}\ninbound.burst  : ${burst}\n`,
    );
  });
});
