import { describe, expect, test } from "bun:test";
import { parseDomain } from "../../../src/domain/document.ts";
import { formatArgv } from "../../../src/qemu/domain-argv.ts";
import { bytesOf } from "../../domain/corpus.ts";

const UUID = "c7a5fdbd-edaf-9455-926a-d65c16db1809";

function wordsFor(os: string, more = "", type = "<type machine='pc'>hvm</type>"): readonly string[] {
  const text = `<domain type='qemu'><name>guest</name><uuid>${UUID}</uuid><memory>65536</memory><os>${type}${os}</os>${more}</domain>`;
  return formatArgv(parseDomain(bytesOf(text)));
}

const board = "<sysinfo type='smbios'><baseBoard><entry name='product'>a</entry></baseBoard></sysinfo>";
const fwcfg = (entry: string): string => `<sysinfo type='fwcfg'>${entry}</sysinfo>`;

describe("formatArgv() refuses", () => {
  test.each([
    ["", "<genid/>", "/domain/genid"],
    [
      "<smbios mode='host'/>",
      "",
      "/domain/os/smbios/@mode for QEMU: svirt does not copy the host's SMBIOS tables",
    ],
    ["<smbios mode='sysinfo'/>", "", "/domain/os/smbios/@mode"],
    ["<bios useserial='yes'/>", "", "/domain/os/bios/@useserial"],
    ["", fwcfg("<entry name='opt/a'>a,b</entry>"), "/domain/sysinfo[@type='fwcfg']/entry"],
    ["", fwcfg("<entry name='opt/ovmf/a'>a</entry>"), "/domain/sysinfo/entry/@name"],
    ["", fwcfg("<entry name='opt/a' file='/a'>a</entry>"), "/domain/sysinfo/entry"],
    [
      "",
      "<sysinfo type='smbios'><system><entry name='uuid'>00000000-0000-4000-8000-000000000001</entry></system></sysinfo>",
      "/domain/sysinfo/system/entry",
    ],
    [
      "<acpi><table type='slic'>/a</table><table type='slic'>/b</table></acpi>",
      "",
      "/domain/os/acpi/table/@type",
    ],
  ])("%s %s", (os, more, place) => {
    expect(() => wordsFor(os, more)).toThrow(place);
  });
});

test("formatArgv() takes the program and the processor for a 32-bit PC", () => {
  const [program, ...words] = wordsFor("", "", "<type arch='i686' machine='pc'>hvm</type>");
  expect([program, words[words.indexOf("-cpu") + 1]]).toEqual(["/usr/bin/qemu-system-i386", "qemu32"]);
});

test("formatArgv() gives the guest the ID and the values of its XML", () => {
  const id = "e9392370-2917-565e-692b-d057f46512d6";
  const words = wordsFor(
    "",
    `<genid>${id}</genid>${fwcfg("<entry name='opt/com.example/name'>value</entry>")}`,
  );
  expect(words).toContain(`{"driver":"vmgenid","guid":"${id}","id":"vmgenid0"}`);
  expect(words).toContain("name=opt/com.example/name,string=value");
});

// qemuBuildSmbiosBaseBoardStr() and qemuBuildSmbiosChassisStr() of libvirt always write ",manufacturer=".
test.each([
  [board, "type=2,manufacturer=,product=a"],
  [
    "<sysinfo type='smbios'><chassis><entry name='asset'>a</entry></chassis></sysinfo>",
    "type=3,manufacturer=,asset=a",
  ],
])("formatArgv() names the maker of what has none: %s", (more, words) => {
  expect(wordsFor("<smbios mode='sysinfo'/>", more)).toContain(words);
});
