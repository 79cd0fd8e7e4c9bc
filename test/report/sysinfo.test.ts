import { describe, expect, test } from "bun:test";
import { parseSmbios } from "../../src/report/smbios-tables.ts";
import { formatSysinfo } from "../../src/report/sysinfo.ts";

/**
 * Returns a structure of SMBIOS 3.7 (DMTF DSP0134), 6.1: header, formatted part, strings, and another NUL.
 */
function structure(
  type: number,
  formatted: readonly number[],
  strings: readonly string[],
): readonly number[] {
  const text = strings.length === 0 ? "\0" : strings.map((one) => `${one}\0`).join("");
  return [type, 4 + formatted.length, 7, 0, ...formatted, ...new TextEncoder().encode(`${text}\0`)];
}

const END = structure(127, [], []);

// 7.1: vendor 04h, version 05h, segment, date 08h, size, 8 bytes of characteristics, 2 more, major 14h and
// minor 15h.
const bios = structure(
  0,
  [1, 2, 0, 0xe8, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 15, 12, 0, 0],
  ["SeaBIOS", "1.16 & more", "04/01/2014"],
);
// 7.2: strings 04h to 07h, UUID 08h to 17h with its first three parts low byte first, wake-up, SKU 19h,
// family 1ah.
const uuid = [0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff];
const system = structure(1, [1, 2, 3, 0, ...uuid, 6, 0, 0], ["QEMU", "Standard PC", "pc-i440fx  "]);
// 7.5: socket 04h, type 05h, family, manufacturer 07h, ID, version 10h, voltage, clock 12h, maximum 14h,
// current, status 18h.
const cpu = structure(
  4,
  [1, 3, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 100, 0, 0xd0, 7, 0xd0, 7, 0x41, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  ["CPU 0", "Maker", "v1"],
);
/**
 * 7.18: size 0ch in MiB, form 0eh, locator 10h, bank 11h, type 12h, detail 13h, speed 15h, strings 17h, 18h,
 * 1ah.
 */
function memory(size: readonly [number, number]): readonly number[] {
  const formatted = [
    0,
    0x10,
    0xfe,
    0xff,
    64,
    0,
    64,
    0,
    ...size,
    9,
    0,
    1,
    0,
    0x1a,
    0x80,
    0,
    0x80,
    0x0c,
    2,
    0,
    0,
    0,
  ];
  return structure(17, formatted, ["DIMM 0", "Maker"]);
}

const table = new Uint8Array([
  ...bios,
  ...system,
  ...cpu,
  ...memory([0, 8]),
  ...memory([0, 0]),
  ...structure(11, [2], ["one", "two"]),
  ...END,
  ...bios,
]);

describe("svirt sysinfo", () => {
  test("is libvirt's <sysinfo>, in its order; an empty slot is none", () => {
    expect(formatSysinfo(parseSmbios(table)).split("\n")).toEqual([
      "<sysinfo type='smbios'>",
      "  <bios>",
      "    <entry name='vendor'>SeaBIOS</entry>",
      "    <entry name='version'>1.16 &amp; more</entry>",
      "    <entry name='date'>04/01/2014</entry>",
      "    <entry name='release'>15.12</entry>",
      "  </bios>",
      "  <system>",
      "    <entry name='manufacturer'>QEMU</entry>",
      "    <entry name='product'>Standard PC</entry>",
      "    <entry name='version'>pc-i440fx</entry>",
      "    <entry name='serial'>Not Specified</entry>",
      "    <entry name='uuid'>00112233-4455-6677-8899-aabbccddeeff</entry>",
      "    <entry name='sku'>Not Specified</entry>",
      "    <entry name='family'>Not Specified</entry>",
      "  </system>",
      "  <processor>",
      "    <entry name='socket_destination'>CPU 0</entry>",
      "    <entry name='type'>Central Processor</entry>",
      "    <entry name='manufacturer'>Maker</entry>",
      "    <entry name='version'>v1</entry>",
      "    <entry name='external_clock'>100 MHz</entry>",
      "    <entry name='max_speed'>2000 MHz</entry>",
      "    <entry name='status'>Populated, Enabled</entry>",
      "    <entry name='serial_number'>Not Specified</entry>",
      "    <entry name='part_number'>Not Specified</entry>",
      "  </processor>",
      "  <memory_device>",
      "    <entry name='size'>2 GB</entry>",
      "    <entry name='form_factor'>DIMM</entry>",
      "    <entry name='locator'>DIMM 0</entry>",
      "    <entry name='bank_locator'>Not Specified</entry>",
      "    <entry name='type'>DDR4</entry>",
      "    <entry name='type_detail'>Synchronous</entry>",
      "    <entry name='speed'>3200 MT/s</entry>",
      "    <entry name='manufacturer'>Maker</entry>",
      "    <entry name='serial_number'>Not Specified</entry>",
      "    <entry name='part_number'>Not Specified</entry>",
      "  </memory_device>",
      "  <oemStrings>",
      "    <entry>one</entry>",
      "    <entry>two</entry>",
      "  </oemStrings>",
      "</sysinfo>",
      "",
    ]);
  });

  test("reads as far as the tables are whole", () => {
    for (let length = 0; length <= table.length; length += 1) {
      expect(formatSysinfo(parseSmbios(table.subarray(0, length)))).toStartWith("<sysinfo type='smbios'");
    }
    expect(parseSmbios(table.subarray(0, bios.length - 1))).toEqual([]);
    expect(parseSmbios(new Uint8Array([0, 3, 0, 0, 0, 0]))).toEqual([]);
  });
});
