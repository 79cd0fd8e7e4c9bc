import { describe, expect, test } from "bun:test";
import { parseDomain } from "../../../../src/domain/document.ts";
import { formatArgv } from "../../../../src/qemu/domain-argv.ts";
import { bytesOf } from "../../../domain/corpus.ts";

function words(machine: string, devices: string): readonly string[] {
  return formatArgv(
    parseDomain(
      bytesOf(
        `<domain type='kvm'><name>g</name><memory>65536</memory><os><type machine='${machine}'>hvm</type></os><devices>${devices}</devices></domain>`,
      ),
      "6ca317fc-5004-49bf-8cd8-26628e15f990",
    ),
  );
}

const controller = (head: string, inside = ""): string => `<controller ${head}>${inside}</controller>`;

describe("formatArgv() refuses a controller that the board cannot have", () => {
  // qemuValidateDomainDeviceDefController() of libvirt and its callees
  test.each([
    ["pc", controller("type='pci' index='1' model='pci-bridge'", "<target busNr='9'/>"), "target/@busNr"],
    ["pc", controller("type='pci' index='1' model='pci-bridge'", "<target port='0x1'/>"), "target/@port"],
    [
      "pc",
      controller("type='pci' index='1' model='pci-bridge'", "<target hotplug='on'/>"),
      "target/@hotplug",
    ],
    ["pc", controller("type='pci' index='1' model='pci-bridge'", "<pcihole64>1</pcihole64>"), "pcihole64"],
    [
      "pc",
      controller("type='pci' index='0' model='pci-root'", "<target memReserve='1'/>"),
      "target/@memReserve",
    ],
    [
      "q35",
      controller("type='pci' index='1' model='pcie-root-port'", "<target chassisNr='1'/>"),
      "target/@chassisNr",
    ],
    ["q35", controller("type='pci' index='1' model='pci-expander-bus'"), "@model"],
    [
      "pc",
      controller("type='pci' index='1' model='pci-bridge'") +
        controller("type='pci' index='2' model='pci-expander-bus'", "<address type='pci' bus='1' slot='1'/>"),
      "address/@bus",
    ],
    [
      "q35",
      controller("type='pci' index='1' model='pcie-expander-bus'") +
        controller("type='sata' index='1'", "<address type='pci' bus='1' slot='2'/>"),
      "address/@bus",
    ],
    [
      "q35",
      controller("type='pci' index='1' model='pcie-root-port'") +
        controller(
          "type='pci' index='2' model='pcie-switch-downstream-port'",
          "<address type='pci' bus='1' slot='0'/>",
        ),
      "address/@bus",
    ],
    ["pc", controller("type='scsi' model='lsilogic'", "<driver queues='2'/>"), "driver"],
    ["pc", controller("type='usb' model='ich9-uhci1'"), "master"],
    ["pc", controller("type='usb' model='piix3-uhci' ports='4'"), "@ports"],
  ])("on a %s: %s", (machine, xml, place) => {
    const path = new RegExp(`Cannot translate /domain/devices/controller\\[\\d\\]/${place} for QEMU: `);
    expect(() => words(machine, xml)).toThrow(path);
  });
});

test("formatArgv() puts a plain device behind a bridge on the one to plain PCI, where there is one", () => {
  const devices = `${controller("type='pci' index='1' model='dmi-to-pci-bridge'")}${controller("type='scsi' model='lsilogic'")}`;
  const bridges = words("q35", devices).flatMap(
    (word) => /"driver":"([^"]*bridge)".*"bus":"([^"]+)"/.exec(word)?.slice(1) ?? [],
  );
  // virDomainPCIAddressSetGrow() of libvirt: a pci-bridge, as long as a bus accepts one
  expect(bridges).toEqual(["i82801b11-bridge", "pcie.0", "pci-bridge", "pci.1"]);
});

test("formatArgv() says of any device at function 0 that there are others in its slot", () => {
  const disk = (letter: string, fn: number): string =>
    `<disk><source file='/${letter}'/><target dev='vd${letter}'/><address type='pci' slot='7' function='${fn}'/></disk>`;
  const found = words("pc", disk("a", 0) + disk("b", 1)).filter((word) => word.includes("virtio-blk-pci"));
  expect(found.map((word) => /"multifunction":true,"addr":"0x7"/.test(word))).toEqual([true, false]);
});

describe("formatArgv() puts the parts of ICH9's USB 2.0 in one slot", () => {
  const parts = ["ich9-ehci1", "ich9-uhci1", "ich9-uhci2", "ich9-uhci3"]
    .map((model) => controller(`type='usb' index='0' model='${model}'`))
    .join("");
  const places = (machine: string): readonly string[] =>
    words(machine, `${parts}<memballoon model='none'/>`).flatMap(
      (word) => /"driver":"ich9-usb-[^}]*"addr":"([^"]+)"/.exec(word)?.[1] ?? [],
    );

  test("the first that is free on a pc, and the real board's on a q35", () => {
    expect(places("pc")).toEqual(["0x2.0x7", "0x2", "0x2.0x1", "0x2.0x2"]);
    expect(places("q35")).toEqual(["0x1d.0x7", "0x1d", "0x1d.0x1", "0x1d.0x2"]);
  });
});
