import { SvirtError } from "../../errors.ts";
import type { Draft } from "../../xml/draft.ts";
import { makeDraft } from "./make-draft.ts";

/** Parts of a PCI address may have a 0x, as for strtoul(). */
const PCI =
  /^pci:(?:0x)?([\da-f]{1,8})\.(?:0x)?([\da-f]{1,8})\.(?:0x)?([\da-f]{1,8})\.(?:0x)?([\da-f]{1,8})$/i;
const DRIVE = /^(?:scsi|sata|ide):(\d{1,9})\.(\d{1,9})\.(\d{1,9})$/;
const USB = /^usb:(\d{1,9})\.(\d{1,9})$/;

/** Kinds of addresses by the first letters of a disk's target, with the form that virsh's message names. */
const KINDS: ReadonlyMap<string, readonly [kinds: RegExp, message: string]> = new Map([
  ["vd", [/^pci:/, "expecting a pci:0000.00.00.00 address."]],
  ["sd", [/^(?:scsi|usb|sata):/, "expecting a scsi:00.00.00 or usb:00.00 or sata:00.00.00 address."]],
  ["hd", [/^ide:/, "expecting an ide:00.00.00 address."]],
]);

/**
 * Makes the `<address>` of a disk of virsh's words for it. Throws "usage" with virsh's messages.
 * virshAddressParse() of libvirt's tools/virsh-domain.c
 */
export function diskAddress(word: string, target: string, isMultifunction: boolean): Draft {
  const address = addressOf(word, isMultifunction);
  const [kinds, message] = KINDS.get(target.slice(0, 2)) ?? [/^/, ""];
  if (address === undefined) throw refused("Invalid address.");
  if (!kinds.test(word)) throw refused(message);
  return address;
}

function addressOf(word: string, isMultifunction: boolean): Draft | undefined {
  const [, domain, bus, slot, number] = PCI.exec(word) ?? [];
  if (domain !== undefined) {
    return makeDraft("address", {
      type: "pci",
      domain: hexadecimal(domain, 4),
      bus: hexadecimal(bus, 2),
      slot: hexadecimal(slot, 2),
      function: hexadecimal(number, 1),
      multifunction: isMultifunction ? "on" : undefined,
    });
  }
  const [, controller, place, unit] = DRIVE.exec(word) ?? [];
  if (controller !== undefined) return makeDraft("address", { type: "drive", controller, bus: place, unit });
  const [, hub, port] = USB.exec(word) ?? [];
  return hub === undefined ? undefined : makeDraft("address", { type: "usb", bus: hub, port });
}

function hexadecimal(digits: string | undefined, width: number): string {
  return `0x${Number.parseInt(digits ?? "", 16)
    .toString(16)
    .padStart(width, "0")}`;
}

function refused(message: string): SvirtError {
  return new SvirtError(message, {
    kind: "usage",
    remedy: "Write --address pci:0000.00.05.00, scsi:0.0.1, sata:0.0.1, ide:0.0.1 or usb:0.1.",
  });
}
