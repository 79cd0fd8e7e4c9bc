import type { Host } from "../host/host.ts";
import { type Draft, emptyDraft, textDraft } from "../xml/draft.ts";
import { formatDocument } from "../xml/format-document.ts";
import { formatMemoryDevice, formatProcessor } from "./smbios-devices.ts";
import { numberAt, parseSmbios, type SmbiosEntry, type SmbiosStructure, stringAt } from "./smbios-tables.ts";

const TABLE = "/sys/firmware/dmi/tables/DMI";
const MOST_BYTES = 4 * 1024 * 1024;

/** Returns the firmware's tables as libvirt's `<sysinfo type='smbios'>`; undefined if the kernel has none. */
export function getSysinfo(host: Host): string | undefined {
  const facts = host.inspectFile(TABLE);
  if (facts === undefined) return undefined;
  return formatSysinfo(parseSmbios(host.readBytes(facts.id, 0, Math.min(facts.sizeBytes, MOST_BYTES))));
}

/** Formats `<sysinfo>` in libvirt's order. https://libvirt.org/formatdomain.html#smbios-system-information */
export function formatSysinfo(structures: readonly SmbiosStructure[]): string {
  const sysinfo = emptyDraft("sysinfo");
  sysinfo.attributes.set("type", "smbios");
  for (const { format, tag, type } of FORMATS) {
    const ofType = structures.filter((found) => found.type === type);
    for (const structure of ofType) {
      const entries = format(structure);
      if (entries.length > 0) sysinfo.children.push(formatEntries(tag, entries));
    }
  }
  return formatDocument(sysinfo);
}

/** SMBIOS 3.7, 7.1 to 7.5, 7.18 and 7.12. */
const FORMATS: readonly {
  readonly tag: string;
  readonly type: number;
  readonly format: (structure: SmbiosStructure) => readonly SmbiosEntry[];
}[] = [
  { tag: "bios", type: 0, format: formatBios },
  { tag: "system", type: 1, format: formatSystem },
  { tag: "baseBoard", type: 2, format: formatBaseBoard },
  { tag: "chassis", type: 3, format: formatChassis },
  { tag: "processor", type: 4, format: formatProcessor },
  { tag: "memory_device", type: 17, format: formatMemoryDevice },
  { tag: "oemStrings", type: 11, format: ({ strings }) => strings.map((text) => ["", text.trim()]) },
];

function formatEntries(tag: string, entries: readonly SmbiosEntry[]): Draft {
  const draft = emptyDraft(tag);
  for (const [name, value] of entries) {
    if (value === undefined) continue;
    const entry = textDraft("entry", value);
    if (name !== "") entry.attributes.set("name", name);
    draft.children.push(entry);
  }
  return draft;
}

function formatBios(bios: SmbiosStructure): readonly SmbiosEntry[] {
  const [major, minor] = [numberAt(bios, 0x14, 1), numberAt(bios, 0x15, 1)];
  const isKnown = major !== undefined && major !== 0xff;
  return [
    ["vendor", stringAt(bios, 4)],
    ["version", stringAt(bios, 5)],
    ["date", stringAt(bios, 8)],
    ["release", isKnown ? `${major}.${minor ?? 0}` : undefined],
  ];
}

function formatSystem(system: SmbiosStructure): readonly SmbiosEntry[] {
  return [
    ["manufacturer", stringAt(system, 4)],
    ["product", stringAt(system, 5)],
    ["version", stringAt(system, 6)],
    ["serial", stringAt(system, 7)],
    ["uuid", uuidIn(system.bytes.subarray(8, 24))],
    ["sku", stringAt(system, 0x19)],
    ["family", stringAt(system, 0x1a)],
  ];
}

function formatBaseBoard(board: SmbiosStructure): readonly SmbiosEntry[] {
  return [
    ["manufacturer", stringAt(board, 4)],
    ["product", stringAt(board, 5)],
    ["version", stringAt(board, 6)],
    ["serial", stringAt(board, 7)],
    ["asset", stringAt(board, 8)],
    ["location", stringAt(board, 0x0a)],
  ];
}

function formatChassis(chassis: SmbiosStructure): readonly SmbiosEntry[] {
  // It follows the contained elements, with number and size given by these bytes.
  const contained = (numberAt(chassis, 0x13, 1) ?? 0) * (numberAt(chassis, 0x14, 1) ?? 0);
  return [
    ["manufacturer", stringAt(chassis, 4)],
    ["version", stringAt(chassis, 6)],
    ["serial", stringAt(chassis, 7)],
    ["asset", stringAt(chassis, 8)],
    ["sku", stringAt(chassis, 0x15 + contained)],
  ];
}

/**
 * Formats a UUID; undefined for only ones and only zeros. Since SMBIOS 2.6 its first three parts are
 * little-endian.
 */
function uuidIn(bytes: Uint8Array): string | undefined {
  if (bytes.length < 16 || bytes.every((byte) => byte === 0) || bytes.every((byte) => byte === 0xff))
    return undefined;
  const order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
  const digits = order.map((at) => (bytes[at] ?? 0).toString(16).padStart(2, "0")).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
