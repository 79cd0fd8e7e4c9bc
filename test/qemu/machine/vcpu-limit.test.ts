import { describe, expect, test } from "bun:test";
import { parseDomain } from "../../../src/domain/document.ts";
import { completeGuest } from "../../../src/qemu/complete-guest.ts";
import { formatArgv } from "../../../src/qemu/domain-argv.ts";
import { bytesOf } from "../../domain/corpus.ts";

function domainOf(machine: string, vcpus: number, devices = "") {
  return parseDomain(
    bytesOf(`<domain type='kvm'><name>a</name><uuid>c7a5fdbd-edaf-9455-926a-d65c16db1809</uuid>
<memory>65536</memory><vcpu>${vcpus}</vcpu><os><type machine='${machine}'>hvm</type></os>
<devices>${devices}</devices></domain>`),
  );
}

const IOMMU = "<iommu model='intel'><driver intremap='on' eim='on'/></iommu>";

describe("a guest of more than 255 processors", () => {
  test("is given the IOMMU and the I/O APIC with which libvirt recorded intel-iommu-eim", () => {
    const implied = completeGuest(domainOf("q35", 288)).domain;
    expect(implied).toEqual(completeGuest(domainOf("q35", 288, IOMMU)).domain);
    expect(implied.features?.ioapic).toEqual({ driver: "qemu" });
    expect(formatArgv(domainOf("q35", 288)).join(" ")).toContain("kernel_irqchip=split");
  });

  test("is refused on a board that cannot have it, and with an IOMMU that does not do it", () => {
    expect(() => completeGuest(domainOf("pc", 256))).toThrow("/domain/vcpu");
    const without = "<iommu model='intel'/>";
    expect(() => completeGuest(domainOf("q35", 256, without))).toThrow("/domain/devices/iommu");
  });
});

test("a guest of 255 is given nothing", () => {
  expect(completeGuest(domainOf("q35", 255)).devices.iommu).toBeUndefined();
  expect(completeGuest(domainOf("pc", 255)).domain.features).toBeUndefined();
});
