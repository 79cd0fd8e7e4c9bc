import { describe, expect, test } from "bun:test";
import { parseDomain } from "../../src/domain/document.ts";
import { errorsOf } from "../../src/errors.ts";
import { completeGuest } from "../../src/qemu/complete-guest.ts";
import { formatArgv } from "../../src/qemu/domain-argv.ts";
import { storedDomain } from "../../src/qemu/stored-domain.ts";
import { domainWith } from "../domain/corpus.ts";

const disk = (target: string, inside = ""): string =>
  `<disk type='file'><source file='/a'/><target dev='${target}'/>${inside}</disk>`;
const drive = (unit: number): string =>
  `<address type='drive' controller='0' bus='0' target='0' unit='${unit}'/>`;
const messagesOf = (act: () => unknown): string[] => errorsOf(act).map(({ message }) => message);

describe("formatArgv() throws", () => {
  test("all rules that each device breaks, each with the device's number in the domain", () => {
    const twice = "<readonly/><driver name='qemu' type='raw' iommu='on'/>";
    const devices = `${disk("hda")}${disk("hdb", "<readonly/>")}${disk("hdc")}${disk("hdd", twice)}`;
    expect(messagesOf(() => formatArgv(parseDomain(domainWith(devices))))).toEqual([
      "Cannot translate /domain/devices/disk[2]/readonly for QEMU: a disk on IDE or SATA cannot be read-only",
      "Cannot translate /domain/devices/disk[4]/readonly for QEMU: a disk on IDE or SATA cannot be read-only",
      "Cannot translate /domain/devices/disk[4]/driver for QEMU: queues, event_idx, ioeventfd, iommu, ats, packed and page_per_vq are for the bus virtio",
    ]);
  });

  test("the refusals of devices of several families", () => {
    const devices = `${disk("hda", "<readonly/>")}<input type='tablet' bus='ps2'/><tpm model='tpm-crb'><backend type='emulator' version='1.2'/></tpm>`;
    const messages = messagesOf(() => formatArgv(parseDomain(domainWith(devices))));
    expect(messages).toEqual([
      expect.stringContaining("/domain/devices/disk[1]"),
      expect.stringContaining(
        "/domain/devices/tpm[1]/@model for QEMU: a TPM 1.2 does not have the interface tpm-crb",
      ),
      expect.stringContaining("/domain/devices/input[1]/@bus for QEMU: PS/2 has no tablet"),
    ]);
  });
});

test("completeGuest() throws the refusals of all devices", () => {
  const usb = (port: string): string =>
    `<input type='mouse' bus='usb'><address type='usb' bus='7' port='${port}'/></input>`;
  const messages = messagesOf(() => completeGuest(parseDomain(domainWith(`${usb("1")}${usb("2")}`))));
  expect(messages).toEqual([
    "Cannot translate /domain/devices/input[1]/address/@bus for QEMU: the guest has no USB bus 7",
    "Cannot translate /domain/devices/input[2]/address/@bus for QEMU: the guest has no USB bus 7",
  ]);
});

test("storedDomain() refuses what no host settles, also behind what only a start refuses", () => {
  const secret =
    "<disk type='file'><source file='/a'><encryption format='luks'><secret type='passphrase' usage='a'/></encryption></source><target dev='vda'/></disk>";
  expect(() => storedDomain(parseDomain(domainWith(secret)))).not.toThrow();
  expect(() => storedDomain(parseDomain(domainWith(`${secret}${disk("hda", "<readonly/>")}`)))).toThrow(
    "/domain/devices/disk[2]",
  );
});

test("a controller that is refused ends the list, since devices stand on it", () => {
  const devices = `<controller type='scsi' index='0' model='lsilogic'><driver iommu='on'/></controller>${disk("sda", drive(1))}`;
  expect(messagesOf(() => formatArgv(parseDomain(domainWith(devices))))).toHaveLength(1);
});
