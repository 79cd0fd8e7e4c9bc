import { unlessRefused } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import { attributesDraft, type Draft, emptyDraft, parentDraft } from "../../xml/draft.ts";
import { baseOf, capabilityDraft, readBinary, readNumber, realPath, texts } from "./sysfs.ts";

/** Names of vendors and devices, where installed. pci.ids(5) */
const NAMES = "/usr/share/misc/pci.ids";
const CONFIG_BYTES = 256;
/** Kinds of headers in the configuration space. linux/pci_regs.h PCI_HEADER_TYPE */
const HEADERS = [undefined, "pci-bridge", "cardbus-bridge"];
/** linux/pci_regs.h: PCI_STATUS_CAP_LIST */
const HAS_CAPABILITIES = 0x10;
/** linux/pci_regs.h: PCI_STATUS, PCI_CAPABILITY_LIST, PCI_CAP_ID_EXP */
const [STATUS, CAPABILITIES, EXPRESS] = [0x06, 0x34, 0x10];
/**
 * Kinds of PCI Express devices without a link: parts of the root complex. linux/pci_regs.h
 * PCI_EXP_TYPE_RC_END, _RC_EC
 */
const WITHOUT_LINK: readonly number[] = [9, 10];
/** Gigatransfers per second, by the number in the registers of a link. linux/pci_regs.h PCI_EXP_LNKCAP_SLS */
const SPEEDS = ["", "2.5", "5", "8", "16", "32", "64"];

/** Describes a PCI device. virNodeDeviceCapPCIDefFormat() of libvirt */
export function describePci(host: Host, path: string): readonly Draft[] {
  const [domain = 0, bus = 0, slot = 0, func = 0] = numbersIn(baseOf(path));
  const ids = ["vendor", "device"].map((file) => readNumber(host, `${path}/${file}`) ?? 0);
  const [vendor = 0, product = 0] = ids;
  const [vendorName, productName] = namesOf(host, vendor, product);
  const config = readBinary(host, `${path}/config`, CONFIG_BYTES);
  const header = HEADERS[(config[0x0e] ?? 0) & 0x7f];
  const node = readNumber(host, `${path}/numa_node`) ?? -1;
  return [
    ...texts({ class: classOf(host, path), domain, bus, slot, function: func }),
    named("product", product, productName),
    named("vendor", vendor, vendorName),
    ...functionsOf(host, path),
    ...(header === undefined ? [] : [capabilityDraft(header)]),
    ...groupOf(host, path),
    ...(node < 0 ? [] : [attributesDraft("numa", { node: String(node) })]),
    ...expressOf(host, path, config),
  ];
}

/** Whether a device leads to others: a bridge, useless to guests. */
export function isBridge(host: Host, path: string): boolean {
  return ((readBinary(host, `${path}/config`, CONFIG_BYTES)[0x0e] ?? 0) & 0x7f) !== 0;
}

function numbersIn(address: string): readonly number[] {
  return address.split(/[:.]/).map((part) => Number.parseInt(part, 16));
}

function classOf(host: Host, path: string): string | undefined {
  const number = readNumber(host, `${path}/class`);
  return number === undefined ? undefined : `0x${hex(number, 6)}`;
}

/** Returns `<vendor>` or `<product>`: its number, and its name if it is known. */
export function named(tag: string, id: number, name: string | undefined): Draft {
  return { ...attributesDraft(tag, { id: `0x${hex(id, 4)}` }), text: name };
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}

function namesOf(host: Host, vendor: number, product: number): readonly (string | undefined)[] {
  const text = unlessRefused(() => host.readText(NAMES)) ?? "";
  const start = text.search(new RegExp(`^${hex(vendor, 4)}  `, "m"));
  if (start < 0) return [];
  const block = text
    .slice(start)
    .split(/\n(?=[^\t#\n])/, 1)
    .join("");
  const nameAfter = (prefix: string): string | undefined =>
    new RegExp(`^${prefix}  (.*)$`, "m").exec(block)?.[1]?.trim();
  return [nameAfter(hex(vendor, 4)), nameAfter(`\t${hex(product, 4)}`)];
}

function addressDraft(path: string): Draft {
  const [domain = 0, bus = 0, slot = 0, func = 0] = numbersIn(baseOf(path));
  return attributesDraft("address", {
    domain: `0x${hex(domain, 4)}`,
    bus: `0x${hex(bus, 2)}`,
    slot: `0x${hex(slot, 2)}`,
    function: `0x${func}`,
  });
}

/**
 * Describes the physical function of a virtual function, and the virtual functions of a device.
 * virNodeDeviceGetPCISRIOVCaps() of libvirt
 */
function functionsOf(host: Host, path: string): readonly Draft[] {
  const physical = realPath(host, `${path}/physfn`);
  const most = readNumber(host, `${path}/sriov_totalvfs`) ?? 0;
  const virtual: Draft[] = [];
  for (let at = 0; at < most; at += 1) {
    const found = realPath(host, `${path}/virtfn${at}`);
    if (found === undefined) break;
    virtual.push(addressDraft(found));
  }
  const of = capabilityDraft("virt_functions", virtual);
  of.attributes.set("maxCount", String(most));
  return [
    ...(physical === undefined ? [] : [capabilityDraft("phys_function", [addressDraft(physical)])]),
    ...(most === 0 ? [] : [of]),
  ];
}

function groupOf(host: Host, path: string): readonly Draft[] {
  const folder = realPath(host, `${path}/iommu_group`);
  if (folder === undefined) return [];
  const draft = attributesDraft("iommuGroup", { number: baseOf(folder) });
  draft.children.push(...host.listFolder(`${folder}/devices`).map(addressDraft));
  return [draft];
}

/**
 * Describes the link of a PCI Express device; an ordinary user cannot read so far. A device without
 * capabilities counts as PCI Express if its space is longer than PCI's. virPCIDeviceInit() and
 * virPCIDeviceGetLinkCapSta() of libvirt
 */
function expressOf(host: Host, path: string, config: Uint8Array): readonly Draft[] {
  if (((config[STATUS] ?? 0) & HAS_CAPABILITIES) === 0) {
    const isLonger = (host.inspectFile(`${path}/config`)?.sizeBytes ?? 0) > CONFIG_BYTES;
    return isLonger && host.getUid() === 0 ? [emptyDraft("pci-express")] : [];
  }
  const at = expressAt(config);
  if (at === undefined) return [];
  const view = new DataView(config.buffer, config.byteOffset, config.length);
  const isWithoutLink = WITHOUT_LINK.includes((view.getUint16(at + 2, true) >> 4) & 0x0f);
  const link = [view.getUint32(at + 0x0c, true), view.getUint16(at + 0x12, true)] as const;
  return [parentDraft("pci-express", isWithoutLink ? [] : linksOf(...link))];
}

/**
 * Describes what a link can do, and what it does now, by its registers. linux/pci_regs.h PCI_EXP_LNKCAP,
 * PCI_EXP_LNKSTA
 */
function linksOf(can: number, is: number): readonly Draft[] {
  const speedOf = (bits: number): { readonly speed?: string } => {
    const speed = SPEEDS[bits & 0x0f] ?? "";
    return speed === "" ? {} : { speed };
  };
  const width = (bits: number): string => String((bits >> 4) & 0x3f);
  return [
    attributesDraft("link", {
      validity: "cap",
      port: String(can >>> 24),
      ...speedOf(can),
      width: width(can),
    }),
    attributesDraft("link", { validity: "sta", ...speedOf(is), width: width(is) }),
  ];
}

/**
 * Returns the offset of the PCI Express capability; undefined if the device has none. PCI Local Bus
 * Specification 3.0, 6.7
 */
function expressAt(config: Uint8Array): number | undefined {
  // A damaged chain may be a circle.
  for (
    let at = config[CAPABILITIES] ?? 0, left = 48;
    at >= 0x40 && left > 0;
    at = config[at + 1] ?? 0, left -= 1
  )
    if (config[at] === EXPRESS) return at + 0x14 <= config.length ? at : undefined;
  return undefined;
}

/**
 * Returns the fact whether the device's reset is offered by the kernel.
 * Documentation/ABI/testing/sysfs-bus-pci
 */
export function canReset(host: Host, path: string): boolean {
  return (
    host.inspectFile(`${path}/reset`) !== undefined &&
    unlessRefused(() => host.readText(`${path}/reset_method`))?.trim() !== ""
  );
}
