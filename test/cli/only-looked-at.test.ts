import { describe, expect, test } from "bun:test";
import { runCommandLine } from "../../src/cli/run-command.ts";
import { SYSTEM_PATHS } from "../../src/plan/paths.ts";
import { type Machine, snapshot } from "../memory-host/machine.ts";
import { diskXml, domainXml, makeMachine, UUID } from "../vm/scene.ts";

// Commands that look at XML alone: nothing that it names need exist, and nothing of the host changes.

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(machine: Machine, ...words: readonly string[]): Promise<Said> {
  let [out, err] = ["", ""];
  const print = (text: string): void => {
    out += text;
  };
  const warn = (text: string): void => {
    err += text;
  };
  const node = { host: machine.svirt().host, paths: SYSTEM_PATHS };
  const code = await runCommandLine({ words, node, output: { print, warn }, version: "1.2.3" });
  return { code, out, err };
}

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
    expect(await run(machine, "validate", "/vm.xml")).toEqual({
      code: 0,
      out: "Domain 'vm1' is valid\n\n",
      err: "",
    });
    expect(JSON.parse((await run(machine, "validate", "/vm.xml", "--json")).out)).toEqual({
      name: "vm1",
      uuid: UUID,
    });
    expect(snapshot(machine)).toEqual(before);
  });

  test("prints what define would store", async () => {
    const machine = withXml(nowhere);
    const { out } = await run(machine, "validate", "--print", "/vm.xml");
    await run(machine, "define", "/vm.xml");
    expect((await run(machine, "dumpxml", "vm1")).out).toBe(`${out}\n`);
    expect(out).toContain("<address type='pci' domain='0x0000' bus='0x00' slot='0x02' function='0x0'/>");
  });

  test.each([
    ["an unknown element", "<frob/>", "/domain/devices/frob"],
    ["what QEMU cannot do", diskXml("/nowhere/a.raw", "hda", "<readonly/>"), "/domain/devices/disk[1]/"],
  ])("refuses %s by its place", async (_, disks, place) => {
    const machine = withXml(domainXml({ disks: disks.replace("bus='virtio'", "") }));
    const { code, err, out } = await run(machine, "validate", "--print", "/vm.xml");
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
    await run(machine, "define", "/vm.xml");
    const before = snapshot(machine);
    const { code, err, out } = await run(machine, "domxml-to-native", ...words);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toStartWith("/usr/bin/qemu-system-x86_64 \\\n-name guest=vm1,debug-threads=on \\\n-S \\\n");
    expect(out.split(" \\\n")).toContain(`-blockdev ${word}`);
    expect(snapshot(machine)).toEqual(before);
  });

  test("prints an array with --json", async () => {
    const { out } = await run(withXml(nowhere), "domxml-to-native", "qemu-argv", "/vm.xml", "--json");
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
    const { code, err, out } = await run(withXml(nowhere), "domxml-to-native", ...words);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(message);
  });
});
