import { expect, test } from "bun:test";
import type { Machine } from "../../../memory-host/machine.ts";
import { domainXml, makeMachine } from "../../../scenes/scene.ts";
import { runOn } from "../../in-memory.ts";

// Words and layout are those of libvirt's tools/virsh-domain-event.c, virsh-network.c and virsh-pool.c.

function machineWithXml(): Machine {
  const machine = makeMachine();
  machine.files.put("/vm.xml", "file", { bytes: domainXml() });
  const network = "<network><name>net1</name><forward mode='bridge'/><bridge name='br0'/></network>";
  machine.files.put("/net.xml", "file", { bytes: new TextEncoder().encode(network) });
  return machine;
}

test("event --list lists virsh's types", async () => {
  const { code, out } = await runOn(machineWithXml(), "event", "--list");
  expect(code).toBe(0);
  expect(out).toStartWith("lifecycle\nreboot\nrtc-change\n");
  expect(out).toEndWith("memory-device-size-change\nnic-mac-change\n\n");
  expect((await runOn(machineWithXml(), "net-event", "--list")).out).toBe("lifecycle\nmetadata-change\n\n");
  expect((await runOn(machineWithXml(), "pool-event", "--list")).out).toBe("lifecycle\nrefresh\n\n");
});

test("event waits for the first event of a domain", async () => {
  const machine = machineWithXml();
  const waiting = runOn(machine, "event", "--event", "lifecycle");
  await runOn(machine, "define", "/vm.xml");
  expect(await waiting).toEqual({
    code: 0,
    out: "event 'lifecycle' for domain 'vm1': Defined Added\nevents received: 1\n\n",
    err: "",
  });
});

test("event of one domain waits for its events alone", async () => {
  const machine = machineWithXml();
  machine.files.put("/other.xml", "file", { bytes: domainXml({ name: "other", uuid: crypto.randomUUID() }) });
  await runOn(machine, "define", "/vm.xml");
  const waiting = runOn(machine, "event", "--all", "--domain", "vm1", "--timestamp");
  await runOn(machine, "define", "/other.xml");
  await Bun.sleep(20);
  await runOn(machine, "start", "vm1");
  expect((await waiting).out).toMatch(
    /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\+0000: event 'lifecycle' for domain 'vm1': Started Booted\nevents received: 1\n\n$/,
  );
});

test("net-event and pool-event report what happens to networks and pools", async () => {
  const machine = machineWithXml();
  const network = runOn(machine, "net-event", "--event", "lifecycle");
  await runOn(machine, "net-define", "/net.xml");
  expect((await network).out).toBe("event 'lifecycle' for network net1: Defined\nevents received: 1\n\n");
  const pool = runOn(machine, "pool-event", "--event", "lifecycle");
  await runOn(machine, "pool-define-as", "p1", "dir", "--target", "/srv/p1");
  expect((await pool).out).toBe("event 'lifecycle' for storage pool p1: Defined\nevents received: 1\n\n");
  const refresh = runOn(machine, "pool-event", "--event", "refresh", "--pool", "p1");
  await runOn(machine, "pool-build", "p1");
  await runOn(machine, "pool-start", "p1");
  await runOn(machine, "pool-refresh", "p1");
  expect((await refresh).out).toBe("event 'refresh' for storage pool p1\nevents received: 1\n\n");
});

test("event without an event ends with 1", async () => {
  expect(await runOn(machineWithXml(), "event", "--event", "lifecycle", "--timeout", "1")).toEqual({
    code: 1,
    out: "event loop timed out\nevents received: 0\n\n",
    err: "",
  });
});

test.each([
  [["event"], "one of --list, --all, or --event <type> is required"],
  [["net-event"], "either --list or --event <type> is required"],
  [["pool-event", "--event", "born"], "unknown event type born"],
  [
    ["event", "--event", "lifecycle", "--timeout", "0"],
    "Numeric value '0' for <timeout> option is malformed",
  ],
  [["event", "--event", "tunable"], "this function is not supported by the connection driver"],
  [["event", "--event", "lifecycle", "--domain", "none"], "failed to get domain 'none'"],
] as const)("%p is refused", async (words, message) => {
  const { code, err } = await runOn(machineWithXml(), ...words);
  expect(code).toBeGreaterThan(1);
  expect(err).toContain(message);
});
