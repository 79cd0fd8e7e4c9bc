import { describe, expect, test } from "bun:test";
import {
  EMULATOR_QUESTIONS,
  parseEmulatorFacts,
  probeArguments,
} from "../../../src/qemu/monitor/emulator-facts.ts";
import { formatDomainCapabilities } from "../../../src/vm/capabilities/domain-capabilities.ts";
import { makeMachine, nodeOn } from "../../scenes/scene.ts";
import { qemuProgram } from "../real-qemu.ts";
import { recordedFolder } from "../recorded.ts";

const SCHEMA = `${recordedFolder ?? ""}/../schemas/domaincaps.rng`;
const hasLint = Bun.which("xmllint") !== null && (await Bun.file(SCHEMA).exists());

function askReal(): string {
  const input = new TextEncoder().encode(EMULATOR_QUESTIONS);
  return Bun.spawnSync([...probeArguments(qemuProgram ?? "", "qemu")], { stdin: input }).stdout.toString();
}

const aside = qemuProgram === null ? " (skipped: qemu-system-x86_64 or qemu-img is missing)" : "";
const needsSchema = hasLint ? "" : " (skipped: SVIRT_TEST_DATA is not set, or xmllint is missing)";

describe.skipIf(qemuProgram === null)(`what a real QEMU says of itself${aside}`, () => {
  test("is understood", () => {
    const facts = parseEmulatorFacts(askReal());
    expect(facts.version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(facts.machines.find(({ alias }) => alias === "q35")?.mostCpus).toBeGreaterThanOrEqual(255);
    expect(facts.machines.filter(({ isDefault }) => isDefault)).toHaveLength(1);
    expect(facts.cpus.find(({ name }) => name === "qemu64")).toEqual({
      name: "qemu64",
      usable: true,
      deprecated: false,
    });
    expect(facts.types).toContain("virtio-blk-pci");
  });

  test.skipIf(!hasLint).each(["pc", "q35", undefined])(
    `is valid by libvirt's schema for %p${needsSchema}`,
    async (machine) => {
      const facts = parseEmulatorFacts(askReal());
      const options = { emulator: "/usr/bin/qemu-system-x86_64", type: "qemu", machine } as const;
      const xml = formatDomainCapabilities(nodeOn(makeMachine()), options, facts);
      const input = new TextEncoder().encode(xml);
      const lint = Bun.spawnSync(["xmllint", "--noout", "--relaxng", SCHEMA, "-"], { stdin: input });
      expect([lint.exitCode, lint.stderr.toString()]).toEqual([0, "- validates\n"]);
    },
  );
});

describe("svirt domcapabilities", () => {
  const facts = {
    version: "10.0.0",
    machines: [
      { name: "pc-i440fx-10.0", alias: "pc", isDefault: true, mostCpus: 255 },
      { name: "pc-q35-10.0", alias: "q35", isDefault: false, mostCpus: 4096 },
    ],
    cpus: [
      { name: "host", usable: true, deprecated: false },
      { name: "qemu64", usable: true, deprecated: false },
      { name: "EPYC", usable: false, deprecated: false },
    ],
    types: ["virtio-blk-pci", "VGA"],
  };
  const caps = (type: "kvm" | "qemu", machine?: string): string =>
    formatDomainCapabilities(nodeOn(makeMachine()), { emulator: "/usr/bin/qemu", type, machine }, facts);

  test("names the machine as it is called in full, and its processors", () => {
    expect(caps("kvm", "q35")).toContain("<machine>pc-q35-10.0</machine>");
    expect(caps("kvm", "q35")).toContain("<vcpu max='1024'/>");
    expect(caps("kvm")).toContain("<machine>pc-i440fx-10.0</machine>");
    expect(caps("kvm")).toContain("<mode name='host-passthrough' supported='yes'>");
    expect(caps("qemu")).toContain("<mode name='host-passthrough' supported='no'/>");
    expect(caps("qemu")).toContain("<model usable='no' vendor='AMD'>EPYC</model>");
    expect(caps("qemu")).not.toContain(">host</model>");
    expect(() => caps("qemu", "virt")).toThrow("the machine 'virt' is not supported by emulator");
  });

  test("offers only what this QEMU has and a start would take", () => {
    const values = (name: string): string[] => {
      const part = caps("qemu").split(`<enum name='${name}'>`)[1]?.split("</enum>")[0] ?? "";
      return [...part.matchAll(/<value>(.*)<\/value>/g)].map(([, value]) => value ?? "");
    };
    expect(values("bus")).toEqual(["fdc", "virtio"]);
    expect(values("modelType")).toEqual(["vga", "none"]);
    // A start refuses it: SPICE listens on TCP.
    expect(values("type")).not.toContain("spice");
    expect(values("diskDevice")).toEqual(["disk", "cdrom", "floppy", "lun"]);
    expect(values("subsysType")).toEqual(["usb", "pci"]);
  });
});
