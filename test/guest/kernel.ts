import { type LastAct, lastActCode, printText, word } from "./real-mode.ts";

const [SETUP_SECTORS, SECTOR_BYTES] = [1, 512];
/** Offset of the end of the header and the start of the code. */
const CODE_AT = 0x26c;

/**
 * Makes a kernel for direct boot that prints its command line to the first serial port, then does its last
 * act. It is only the real-mode part of a bzImage. QEMU loads it to 0x10000 and the command line to 0x20000,
 * sets ds to 0x1000 and jumps to 0x200. linux.git Documentation/arch/x86/boot.rst; qemu.git
 * hw/i386/x86-common.c x86_load_linux()
 */
export function echoKernel(last: LastAct): Uint8Array {
  const bytes = new Uint8Array((2 + SETUP_SECTORS) * SECTOR_BYTES);
  const view = new DataView(bytes.buffer);
  bytes[0x1f1] = SETUP_SECTORS;
  view.setUint16(0x1fe, 0xaa55, true);
  bytes.set([0xeb, CODE_AT - 0x202], 0x200); // jmp over the header
  bytes.set(new TextEncoder().encode("HdrS"), 0x202);
  view.setUint16(0x206, 0x020c, true); // version 2.12 of the protocol
  bytes[0x211] = 1; // LOADED_HIGH
  view.setUint32(0x22c, 0x7fffffff, true); // the highest address for an initrd
  view.setUint32(0x238, 2047, true); // the longest command line
  const code = [
    [0xb8, ...word(0x2000)], // mov ax, 0x2000
    [0x8e, 0xd8], // mov ds, ax
    [0x31, 0xf6], // xor si, si
    printText(),
    lastActCode(last),
  ].flat();
  bytes.set(code, CODE_AT);
  return bytes;
}
