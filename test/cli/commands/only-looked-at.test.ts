import { describe, expect, test } from "bun:test";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { diskXml, domainXml, makeMachine, UUID } from "../../scenes/scene.ts";
import { runOn } from "../in-memory.ts";

// Commands that only read XML: files that it names need not exist, and the host does not change.

function withXml(bytes: Uint8Array): Machine {
  const machine = makeMachine();
  machine.files.put("/vm.xml", "file", { bytes });
  return machine;
}

const nowhere = domainXml({ disks: diskXml("/nowhere/a.raw", "vda") });

describe("svirt validate", () => {
  test("takes a guest whose files do not exist, and leaves the host alone", async () => {
    const machine = withXml(nowhere);
    const before = snapshot(machine);
    expect(await runOn(machine, "validate", "/vm.xml")).toEqual({
      code: 0,
      out: "Domain 'vm1' is valid\n\n",
      err: "",
    });
    expect(JSON.parse((await runOn(machine, "validate", "/vm.xml", "--json")).out)).toEqual({
      name: "vm1",
      uuid: UUID,
      refusals: [],
    });
    expect(snapshot(machine)).toEqual(before);
  });

  test("prints what define would store", async () => {
    const machine = withXml(nowhere);
    const { out } = await runOn(machine, "validate", "--print", "/vm.xml");
    await runOn(machine, "define", "/vm.xml");
    expect((await runOn(machine, "dumpxml", "vm1")).out).toBe(`${out}\n`);
    expect(out).toContain("<address type='pci' domain='0x0000' bus='0x00' slot='0x02' function='0x0'/>");
  });

  test.each([
    ["an unknown element", "<frob/>", "/domain/devices/frob"],
    ["what QEMU cannot do", diskXml("/nowhere/a.raw", "hda", "<readonly/>"), "/domain/devices/disk[1]/"],
  ])("refuses %s by its place", async (_, disks, place) => {
    const machine = withXml(domainXml({ disks: disks.replace("bus='virtio'", "") }));
    const { code, err, out } = await runOn(machine, "validate", "--print", "/vm.xml");
    expect([code, out]).toEqual([2, ""]);
    expect(err).toStartWith("error: Cannot ");
    expect(err).toContain(place);
  });
});

describe("svirt domxml-to-native", () => {
  const word = `'{"driver":"file","filename":"/nowhere/a.raw","node-name":"libvirt-1-storage","read-only":false}'`;

  test.each([
    [["qemu-argv", "/vm.xml"]],
    [["qemu-argv", "--xml", "/vm.xml"]],
    [["--format", "qemu-argv", "--xml", "/vm.xml"]],
    [["qemu-argv", "--domain", "vm1"]],
  ])("%j prints QEMU's command line, an option a line", async (words) => {
    const machine = withXml(nowhere);
    await runOn(machine, "define", "/vm.xml");
    const before = snapshot(machine);
    const { code, err, out } = await runOn(machine, "domxml-to-native", ...words);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toStartWith("/usr/bin/qemu-system-x86_64 \\\n-name guest=vm1,debug-threads=on \\\n-S \\\n");
    expect(out.split(" \\\n")).toContain(`-blockdev ${word}`);
    expect(snapshot(machine)).toEqual(before);
  });

  test("prints an array with --json", async () => {
    const { out } = await runOn(withXml(nowhere), "domxml-to-native", "qemu-argv", "/vm.xml", "--json");
    expect(JSON.parse(out).slice(0, 4)).toEqual([
      "/usr/bin/qemu-system-x86_64",
      "-name",
      "guest=vm1,debug-threads=on",
      "-S",
    ]);
  });

  test.each([
    [["xen-xl", "/vm.xml"], "unsupported config type xen-xl"],
    [["qemu-argv"], "requires either <xml> or --domain"],
    [["qemu-argv", "/vm.xml", "--domain", "vm1"], "requires either <xml> or --domain"],
  ])("refuses %j", async (words, message) => {
    const { code, err, out } = await runOn(withXml(nowhere), "domxml-to-native", ...words);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(message);
  });
});
