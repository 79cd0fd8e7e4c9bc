import { expect, test } from "bun:test";
import type { Machine } from "../../../memory-host/machine.ts";
import { domainXml, makeMachine, putText } from "../../../scenes/scene.ts";
import { runOn } from "../../in-memory.ts";

// Words and layout are those of libvirt's tools/virsh-domain-event.c, virsh-network.c and virsh-pool.c.

function machineWithXml(): Machine {
  const machine = makeMachine();
  machine.files.put("/vm.xml", "file", { bytes: domainXml() });
  const network = "<network><name>net1</name><forward mode='bridge'/><bridge name='br0'/></network>";
  machine.files.put("/net.xml", "file", { bytes: new TextEncoder().encode(network) });
  return machine;
}

/** Waits until a command watches the host's devices. */
async function untilWatched({ watchedDevices }: Machine): Promise<void> {
  while (watchedDevices.size === 0) await Bun.sleep(1);
}

/** Begins a command that waits for events, and returns once it sees what happens. */
async function begin(
  machine: Machine,
  ...words: readonly string[]
): Promise<{ readonly end: ReturnType<typeof runOn> }> {
  const end = runOn(machine, ...words);
  while (machine.watchedFolders.size === 0) await Bun.sleep(1);
  return { end };
}

/** Adds a PCI device to the host, of which the kernel tells. */
function putDevice(machine: Machine, address: string): void {
  const path = `/sys/devices/pci0000:00/${address}`;
  putText(machine, `${path}/uevent`, `PCI_SLOT_NAME=${address}\n`);
  machine.files.putFolder("/sys/bus/pci/devices");
  machine.files.put(`/sys/bus/pci/devices/${address}`, "symlink", { target: path });
  machine.uevents.push({ action: "add", path });
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
  const waiting = await begin(machine, "event", "--event", "lifecycle");
  await runOn(machine, "define", "/vm.xml");
  expect(await waiting.end).toEqual({
    code: 0,
    out: "event 'lifecycle' for domain 'vm1': Defined Added\nevents received: 1\n\n",
    err: "",
  });
});

test("event of one domain waits for its events alone", async () => {
  const machine = machineWithXml();
  machine.files.put("/other.xml", "file", { bytes: domainXml({ name: "other", uuid: crypto.randomUUID() }) });
  await runOn(machine, "define", "/vm.xml");
  const waiting = await begin(machine, "event", "--all", "--domain", "vm1", "--timestamp");
  await runOn(machine, "define", "/other.xml");
  await Bun.sleep(20);
  await runOn(machine, "start", "vm1");
  expect((await waiting.end).out).toMatch(
    /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\+0000: event 'lifecycle' for domain 'vm1': Resumed Unpaused\nevents received: 1\n\n$/,
  );
});

test("net-event and pool-event report what happens to networks and pools", async () => {
  const machine = machineWithXml();
  const network = await begin(machine, "net-event", "--event", "lifecycle");
  await runOn(machine, "net-define", "/net.xml");
  expect((await network.end).out).toBe("event 'lifecycle' for network net1: Defined\nevents received: 1\n\n");
  const pool = await begin(machine, "pool-event", "--event", "lifecycle");
  await runOn(machine, "pool-define-as", "p1", "dir", "--target", "/srv/p1");
  expect((await pool.end).out).toBe("event 'lifecycle' for storage pool p1: Defined\nevents received: 1\n\n");
  const refresh = await begin(machine, "pool-event", "--event", "refresh", "--pool", "p1");
  await runOn(machine, "pool-build", "p1");
  await runOn(machine, "pool-start", "p1");
  await runOn(machine, "pool-refresh", "p1");
  expect((await refresh.end).out).toBe("event 'refresh' for storage pool p1\nevents received: 1\n\n");
});

test("secret-event and nodedev-event report what happens to secrets and devices of the host", async () => {
  const machine = machineWithXml();
  const uuid = "0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f";
  const xml = `<secret ephemeral='no' private='no'><uuid>${uuid}</uuid></secret>`;
  machine.files.put("/secret.xml", "file", { bytes: new TextEncoder().encode(xml) });
  const secret = await begin(machine, "secret-event", "--event", "lifecycle");
  await runOn(machine, "secret-define", "/secret.xml");
  expect((await secret.end).out).toBe(
    `event 'lifecycle' for secret ${uuid}: Defined\nevents received: 1\n\n`,
  );
  const value = await begin(machine, "secret-event", "--event", "value-changed", "--secret", uuid);
  machine.files.put("/value", "file", { bytes: new TextEncoder().encode("c2VjcmV0") });
  await runOn(machine, "secret-set-value", uuid, "--file", "/value");
  expect((await value.end).out).toBe(`event 'value-changed' for secret ${uuid}\nevents received: 1\n\n`);
  const device = await begin(machine, "nodedev-event", "--event", "lifecycle");
  await untilWatched(machine);
  putDevice(machine, "0000:00:1f.0");
  expect((await device.end).out).toBe(
    "event 'lifecycle' for node device pci_0000_00_1f_0: Created\nevents received: 1\n\n",
  );
  const update = await begin(machine, "nodedev-event", "--event", "update", "--device", "pci_0000_00_1f_0");
  await untilWatched(machine);
  machine.uevents.push({ action: "change", path: "/sys/devices/pci0000:00/0000:00:1f.0" });
  expect((await update.end).out).toBe(
    "event 'update' for node device pci_0000_00_1f_0\nevents received: 1\n\n",
  );
  expect(machine.watchedDevices.size).toBe(0);
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
  [["event", "--event", "control-error"], "this function is not supported by the connection driver"],
  [["event", "--event", "lifecycle", "--domain", "none"], "failed to get domain 'none'"],
] as const)("%p is refused", async (words, message) => {
  const { code, err } = await runOn(machineWithXml(), ...words);
  expect(code).toBeGreaterThan(1);
  expect(err).toContain(message);
});
