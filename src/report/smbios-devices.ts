import { numberAt, type SmbiosEntry, type SmbiosStructure, stringAt } from "./smbios-tables.ts";

/** SMBIOS 3.7, table 24 */
const PROCESSOR_TYPES = [
  "",
  "Other",
  "Unknown",
  "Central Processor",
  "Math Processor",
  "DSP Processor",
  "Video Processor",
];
/** SMBIOS 3.7, 7.5.1: the last three bits of the status */
const CPU_STATUSES = ["Unknown", "Enabled", "Disabled By User", "Disabled By BIOS", "Idle"];
/** SMBIOS 3.7, table 76 */
const FORM_FACTORS =
  "|Other|Unknown|SIMM|SIP|Chip|DIP|ZIP|Proprietary Card|DIMM|TSOP|Row Of Chips|RIMM|SODIMM|SRIMM|FB-DIMM|Die".split(
    "|",
  );
/** SMBIOS 3.7, table 77 */
const MEMORY_TYPES = (
  "|Other|Unknown|DRAM|EDRAM|VRAM|SRAM|RAM|ROM|Flash|EEPROM|FEPROM|EPROM|CDRAM|3DRAM|SDRAM|SGRAM|RDRAM|DDR|DDR2|" +
  "DDR2 FB-DIMM||||DDR3|FBD2|DDR4|LPDDR|LPDDR2|LPDDR3|LPDDR4|Logical non-volatile device|HBM|HBM2|DDR5|LPDDR5|HBM3"
).split("|");
/** SMBIOS 3.7, table 78, from bit 1 */
const TYPE_DETAILS = (
  "Other|Unknown|Fast-paged|Static Column|Pseudo-static|RAMBus|Synchronous|CMOS|EDO|Window DRAM|Cache DRAM|" +
  "Non-Volatile|Registered (Buffered)|Unbuffered (Unregistered)|LRDIMM"
).split("|");

/** Formats a `<processor>` in dmidecode's terms, as libvirt does. SMBIOS 3.7, 7.5 */
export function formatProcessor(processor: SmbiosStructure): readonly SmbiosEntry[] {
  return [
    ["socket_destination", stringAt(processor, 4)],
    ["type", nameOf(PROCESSOR_TYPES, numberAt(processor, 5, 1))],
    ["manufacturer", stringAt(processor, 7)],
    ["version", stringAt(processor, 0x10)],
    ["external_clock", formatAmount(numberAt(processor, 0x12, 2), "MHz")],
    ["max_speed", formatAmount(numberAt(processor, 0x14, 2), "MHz")],
    ["status", formatStatus(numberAt(processor, 0x18, 1))],
    ["serial_number", stringAt(processor, 0x20)],
    ["part_number", stringAt(processor, 0x22)],
  ];
}

/** Formats a `<memory_device>`; no entries for an empty slot. SMBIOS 3.7, 7.18 */
export function formatMemoryDevice(device: SmbiosStructure): readonly SmbiosEntry[] {
  const size = formatSize(numberAt(device, 0x0c, 2), numberAt(device, 0x1c, 4));
  if (size === undefined) return [];
  return [
    ["size", size],
    ["form_factor", nameOf(FORM_FACTORS, numberAt(device, 0x0e, 1))],
    ["locator", stringAt(device, 0x10)],
    ["bank_locator", stringAt(device, 0x11)],
    ["type", nameOf(MEMORY_TYPES, numberAt(device, 0x12, 1))],
    ["type_detail", formatDetail(numberAt(device, 0x13, 2))],
    ["speed", formatAmount(numberAt(device, 0x15, 2), "MT/s")],
    ["manufacturer", stringAt(device, 0x17)],
    ["serial_number", stringAt(device, 0x18)],
    ["part_number", stringAt(device, 0x1a)],
  ];
}

function nameOf(names: readonly string[], number: number | undefined): string | undefined {
  if (number === undefined) return undefined;
  return names[number] || "<OUT OF SPEC>";
}

/** Formats an amount; 0: unknown to the firmware. */
function formatAmount(amount: number | undefined, unit: string): string | undefined {
  if (amount === undefined) return undefined;
  return amount === 0 ? "Unknown" : `${amount} ${unit}`;
}

function formatStatus(status: number | undefined): string | undefined {
  if (status === undefined) return undefined;
  const isPopulated = (status & 0x40) !== 0;
  return isPopulated ? `Populated, ${CPU_STATUSES[status & 0x07] ?? "Unknown"}` : "Unpopulated";
}

function formatDetail(bits: number | undefined): string | undefined {
  if (bits === undefined) return undefined;
  const found = TYPE_DETAILS.filter((_, at) => (bits & (1 << (at + 1))) !== 0);
  return found.length === 0 ? "None" : found.join(" ");
}

/**
 * Formats a size in MiB, or in KiB if the highest bit is set. 0x7fff: extended size in MiB; 0: empty; 0xffff:
 * unknown.
 */
function formatSize(size: number | undefined, extendedMiB: number | undefined): string | undefined {
  if (size === undefined || size === 0) return undefined;
  if (size === 0xffff) return "Unknown";
  if ((size & 0x8000) !== 0) return `${size & 0x7fff} kB`;
  const mib = size === 0x7fff ? (extendedMiB ?? 0) : size;
  return mib % 1024 === 0 ? `${mib / 1024} GB` : `${mib} MB`;
}
