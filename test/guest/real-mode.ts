/** Act of the guest after it has printed its text. */
export type LastAct =
  | { readonly do: "halt" }
  | { readonly do: "power-off" }
  /** Counts timer interrupts, 18.2 a second. */
  | { readonly do: "power-off-later"; readonly ticks: number }
  /** After the power button is pressed, as by `system_powerdown`. */
  | { readonly do: "power-off-by-button" }
  | { readonly do: "reboot" }
  /** Prints a dot every tick, to tell a paused guest from a running one. */
  | { readonly do: "beat" }
  /** Answers each character with the next one. */
  | { readonly do: "answer" }
  /** Paints the text screen blue, then answers as `answer`. */
  | { readonly do: "paint" }
  /** Ejects each PCI device that it is asked to eject, as an operating system with ACPI does. */
  | { readonly do: "eject" }
  /**
   * Prints the next of 64 characters, from `0` on, every tick, to tell a restarted guest from a resumed one.
   */
  | { readonly do: "count" };

/** Returns 16 bits, low byte first. */
export function word(value: number): readonly number[] {
  return [value & 0xff, value >> 8];
}

/** Returns code that prints the text at ds:si up to its NUL to the first serial port. */
export function printText(): readonly number[] {
  return [
    [0xfc], // cld
    // next:
    [0xac], // lodsb
    [0x84, 0xc0], // test al, al
    [0x74, 0x11], // jz done
    ...putCharacter(),
    [0xeb, 0xea], // jmp next
    // done:
  ].flat();
}

/** Prints al: 15 bytes of code. */
function putCharacter(): readonly (readonly number[])[] {
  return [
    [0x88, 0xc3], // mov bl, al
    [0xba, 0xfd, 0x03], // mov dx, 0x3fd
    // wait:
    [0xec], // in al, dx
    [0xa8, 0x20], // test al, 0x20: the transmitter's holding register is empty
    [0x74, 0xfb], // jz wait
    [0xb2, 0xf8], // mov dl, 0xf8
    [0x88, 0xd8], // mov al, bl
    [0xee], // out dx, al
  ];
}

/** Ejects at 0xae08 each device requested at 0xae04, every tick. qemu.git docs/specs/acpi_pci_hotplug.rst */
const EJECT = [
  [0xfb], // sti
  // again:
  [0xf4], // hlt
  [0xba, 0x04, 0xae], // mov dx, 0xae04
  [0x66, 0xed], // in eax, dx
  [0xb2, 0x08], // mov dl, 8
  [0x66, 0xef], // out dx, eax
  [0xeb, 0xf4], // jmp again
].flat();
const PAINT = [
  [0xb8, 0x03, 0x00], // mov ax, 3
  [0xcd, 0x10], // int 0x10: a text screen of 80 columns
  [0xb4, 0x01], // mov ah, 1
  [0xb9, 0x00, 0x20], // mov cx, 0x2000
  [0xcd, 0x10], // int 0x10: without a cursor
  [0xb8, 0x00, 0xb8], // mov ax, 0xb800
  [0x8e, 0xc0], // mov es, ax
  [0x31, 0xff], // xor di, di
  [0xb8, 0x20, 0x1f], // mov ax, 0x1f20: a blank on blue
  [0xb9, ...word(80 * 25)], // mov cx, 2000
  [0xfc], // cld
  [0xf3, 0xab], // rep stosw
].flat();
const HALT = [0xfa, 0xf4, 0xeb, 0xfd]; // cli; again: hlt; jmp again
const POWER_OFF = [0xba, 0x04, 0x06, 0xb8, 0x00, 0x20, 0xef]; // mov dx, 0x604; mov ax, 0x2000; out dx, ax
const REBOOT = [0xba, 0xf9, 0x0c, 0xb0, 0x06, 0xee]; // mov dx, 0xcf9; mov al, 6; out dx, al

/** Returns the code of the last act; it never returns. */
export function lastActCode(last: LastAct): readonly number[] {
  switch (last.do) {
    case "halt":
      return HALT;
    case "power-off":
      return [...POWER_OFF, ...HALT];
    case "power-off-later":
      return [...waitTicks(last.ticks), ...POWER_OFF, ...HALT];
    case "power-off-by-button":
      return [...waitForButton(), ...POWER_OFF, ...HALT];
    case "reboot":
      return [...REBOOT, ...HALT];
    case "eject":
      return EJECT;
    case "beat": {
      const beat = [...waitTicks(1), 0xb0, 0x2e, ...putCharacter().flat()]; // mov al, '.'
      return [...beat, 0xeb, 0x100 - beat.length - 2]; // jmp beat
    }
    case "answer":
      return answer();
    case "paint":
      return [...PAINT, ...answer()];
    case "count": {
      const count = [...waitTicks(1), ...nextCharacter(), ...putCharacter().flat()];
      return [0x31, 0xff, ...count, 0xeb, 0x100 - count.length - 2]; // xor di, di; count: ...; jmp count
    }
  }
}

function answer(): readonly number[] {
  const once = [...waitForCharacter(), 0xfe, 0xc0, ...putCharacter().flat()]; // inc al
  return [...once, 0xeb, 0x100 - once.length - 2]; // jmp answer
}

/** Sets al to the next character of the count in di. */
function nextCharacter(): readonly number[] {
  return [
    [0x89, 0xf8], // mov ax, di
    [0x24, 0x3f], // and al, 0x3f
    [0x04, 0x30], // add al, '0'
    [0x47], // inc di
  ].flat();
}

/** Waits for the BIOS's tick count at 0040:006c. */
function waitTicks(ticks: number): readonly number[] {
  return [
    [0xfb], // sti
    [0xb8, 0x40, 0x00], // mov ax, 0x40
    [0x8e, 0xc0], // mov es, ax
    [0x26, 0x8b, 0x0e, 0x6c, 0x00], // mov cx, [es:0x6c]
    // again:
    [0xf4], // hlt
    [0x26, 0xa1, 0x6c, 0x00], // mov ax, [es:0x6c]
    [0x29, 0xc8], // sub ax, cx
    [0x3d, ...word(ticks)], // cmp ax, ticks
    [0x72, 0xf4], // jb again
  ].flat();
}

/** Waits for the line status of the first serial port, and reads the character into al. */
function waitForCharacter(): readonly number[] {
  return [
    [0xfb], // sti
    // again:
    [0xf4], // hlt, until the next tick
    [0xba, 0xfd, 0x03], // mov dx, 0x3fd
    [0xec], // in al, dx
    [0xa8, 0x01], // test al, 1: there is something
    [0x74, 0xf7], // jz again
    [0xb2, 0xf8], // mov dl, 0xf8
    [0xec], // in al, dx
  ].flat();
}

/** Waits for bit 8, PWRBTN, of the power management's status at 0x600. It is set only if enabled at 0x602. */
function waitForButton(): readonly number[] {
  return [
    [0xba, 0x02, 0x06], // mov dx, 0x602
    [0xb8, 0x00, 0x01], // mov ax, 0x100
    [0xef], // out dx, ax
    [0xb2, 0x00], // mov dl, 0
    [0xfb], // sti
    // again:
    [0xf4], // hlt, until the next tick
    [0xed], // in ax, dx
    [0xf6, 0xc4, 0x01], // test ah, 1
    [0x74, 0xf9], // jz again
  ].flat();
}
