import { type LastAct, lastActCode, printText, word } from "./real-mode.ts";

export type { LastAct } from "./real-mode.ts";

const SECTOR_BYTES = 512;
const ZERO_DS = [0x31, 0xc0, 0x8e, 0xd8]; // xor ax, ax; mov ds, ax
/** Address at which the BIOS loads and starts the sector, in real mode. */
const ORIGIN = 0x7c00;

/**
 * Makes a guest of one sector: it prints `text` to the first serial port (COM1, port 0x3f8), then does its
 * last act. SeaBIOS starts it within a fraction of a second, also without KVM. Powering off needs
 * `<features><acpi/>`. Under SeaBIOS the power management of PIIX4 and of ICH9 is at 0x600. SLP_EN with type
 * 0 is the soft off of QEMU's machines (qemu.git hw/acpi/piix4.c, hw/acpi/ich9.c).
 */
function bootSector(text: string, last: LastAct): Uint8Array {
  const code = [...ZERO_DS, ...printText(), ...lastActCode(last)];
  const message = [...new TextEncoder().encode(text), 0];
  const bytes = new Uint8Array(SECTOR_BYTES);
  // mov si, message: its address follows from the length of the code.
  bytes.set([0xbe, ...word(ORIGIN + 3 + code.length)]);
  bytes.set([...code, ...message], 3);
  if (3 + code.length + message.length > SECTOR_BYTES - 2)
    throw new Error("the text does not fit into the sector");
  bytes.set([0x55, 0xaa], SECTOR_BYTES - 2);
  return bytes;
}

/** Returns the sector as a disk of 1 MiB, more than the minimum of any controller. */
export function bootDisk(text: string, last: LastAct): Uint8Array {
  const disk = new Uint8Array(1024 * 1024);
  disk.set(bootSector(text, last));
  return disk;
}
