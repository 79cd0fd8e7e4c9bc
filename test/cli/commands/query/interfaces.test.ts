import { expect, test } from "bun:test";
import type { Machine } from "../../../memory-host/machine.ts";
import { domainXml, makeMachine } from "../../../scenes/scene.ts";
import { runOn } from "../../in-memory.ts";

const CARD =
  "<interface type='bridge'><mac address='52:54:00:00:00:01'/><source bridge='br0'/><model type='virtio'/></interface>";

async function runningMachine(): Promise<Machine> {
  const machine = makeMachine();
  machine.taps.addBridge("br0");
  machine.files.put("/vm.xml", "file", { bytes: domainXml({ devices: CARD }) });
  await runOn(machine, "define", "/vm.xml");
  await runOn(machine, "start", "vm1");
  return machine;
}

const put = (machine: Machine, path: string, text: string): void => {
  machine.files.putFolder(path.slice(0, path.lastIndexOf("/")));
  machine.files.put(path, "file", { bytes: new TextEncoder().encode(text) });
};

// The layouts are those of libvirt's tools/virsh-domain-monitor.c.

test("domiflist shows the tap of a running guest, and none of a definition", async () => {
  const machine = await runningMachine();
  expect((await runOn(machine, "domiflist", "vm1")).out).toBe(
    ` Interface   Type     Source   Model    MAC
-----------------------------------------------------------
 vnet0       bridge   br0      virtio   52:54:00:00:00:01

`,
  );
  expect((await runOn(machine, "domiflist", "vm1", "--inactive")).out).toContain(
    " -           bridge   br0      virtio   52:54:00:00:00:01",
  );
});

test("domifstat shows the host's counters from the guest's side", async () => {
  const machine = await runningMachine();
  const names = ["bytes", "packets", "errors", "dropped"];
  for (const [at, name] of names.entries()) {
    put(machine, `/sys/class/net/vnet0/statistics/rx_${name}`, `${at + 1}0\n`);
    put(machine, `/sys/class/net/vnet0/statistics/tx_${name}`, `${at + 1}1\n`);
  }
  const said = await runOn(machine, "domifstat", "vm1", "vnet0");
  expect(said.out).toBe(
    "vnet0 rx_bytes 11\nvnet0 rx_packets 21\nvnet0 rx_errs 31\nvnet0 rx_drop 41\n" +
      "vnet0 tx_bytes 10\nvnet0 tx_packets 20\nvnet0 tx_errs 30\nvnet0 tx_drop 40\n\n",
  );
  expect((await runOn(machine, "domifstat", "vm1", "52:54:00:00:00:01")).out).toBe(said.out);
  expect(await runOn(machine, "domifstat", "vm1", "eth0")).toMatchObject({
    code: 3,
    err: expect.stringContaining("Interface (dev: eth0) not found."),
  });
});

test("domif-setlink pulls the cable out, and domif-getlink tells", async () => {
  const machine = await runningMachine();
  expect((await runOn(machine, "domif-getlink", "vm1", "vnet0")).out).toBe("vnet0 up\n");
  expect((await runOn(machine, "domif-setlink", "vm1", "vnet0", "down")).out).toBe(
    "Device updated successfully\n\n",
  );
  expect((await runOn(machine, "domif-getlink", "vm1", "vnet0")).out).toBe("vnet0 down\n");
  expect((await runOn(machine, "domif-getlink", "vm1", "52:54:00:00:00:01", "--config")).out).toBe(
    "52:54:00:00:00:01 up\n",
  );
  expect((await runOn(machine, "domif-setlink", "vm1", "vnet0", "sideways")).code).toBe(2);
});

test("attach-interface and detach-interface name an interface as virsh does", async () => {
  const machine = await runningMachine();
  const words = ["attach-interface", "vm1", "bridge", "br0", "--model", "virtio", "--target", "web"];
  const printed = await runOn(machine, ...words, "--mac", "52:54:00:00:00:02", "--print-xml");
  expect(printed.out.replace(/\s*\n\s*/g, "")).toBe(
    "<interface type='bridge'><source bridge='br0'/><target dev='web'/><mac address='52:54:00:00:00:02'/><model type='virtio'/></interface>",
  );
  expect(await runOn(machine, ...words, "--mac", "52:54:00:00:00:02")).toEqual({
    code: 0,
    out: "Interface attached successfully\n\n",
    err: "",
  });
  expect((await runOn(machine, "domiflist", "vm1")).out).toContain(" web ");
  expect(await runOn(machine, "detach-interface", "vm1", "bridge")).toMatchObject({
    code: 2,
    err: expect.stringContaining("Domain has 2 interfaces. Please specify which one to detach using --mac"),
  });
  const detached = await runOn(machine, "detach-interface", "vm1", "bridge", "--mac", "52:54:00:00:00:02");
  expect(detached).toEqual({ code: 0, out: "Interface detached successfully\n\n", err: "" });
  expect((await runOn(machine, "domiflist", "vm1")).out).not.toContain(" web ");
});

test("domifaddr tells what the host has learnt of its neighbours, and no leases without a network", async () => {
  const machine = await runningMachine();
  put(
    machine,
    "/proc/net/arp",
    `IP address       HW type     Flags       HW address            Mask     Device
10.0.0.7         0x1         0x2         52:54:00:00:00:01     *        br0
10.0.0.8         0x1         0x2         52:54:00:00:00:99     *        br0
10.0.0.9         0x1         0x0         52:54:00:00:00:01     *        br0
`,
  );
  expect((await runOn(machine, "domifaddr", "vm1", "--source", "arp")).out).toBe(
    ` Name       MAC address          Protocol     Address
-------------------------------------------------------------------------------
 vnet0      52:54:00:00:00:01    ipv4         10.0.0.7/0

`,
  );
  expect((await runOn(machine, "domifaddr", "vm1")).out.split("\n").slice(2)).toEqual(["", ""]);
});
