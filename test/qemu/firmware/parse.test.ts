import { expect, test } from "bun:test";
import fs from "node:fs";
import { parseFirmware } from "../../../src/qemu/firmware/parse.ts";

const FOLDER = "/usr/share/qemu/firmware";
const installed = fs.existsSync(FOLDER)
  ? fs.readdirSync(FOLDER).filter((name) => name.endsWith(".json"))
  : [];

// Descriptions of Debian's package ovmf, which also contains the described files.
const aside = installed.length === 0 ? " (skipped: no firmware is installed, install ovmf)" : "";
test.skipIf(installed.length === 0)(`parseFirmware() reads what is installed on this host${aside}`, () => {
  for (const name of installed) {
    const text = fs.readFileSync(`${FOLDER}/${name}`, "utf8");
    if (!text.includes('"x86_64"')) continue;
    const firmware = parseFirmware(text);
    expect([name, fs.existsSync(firmware?.path ?? "")]).toEqual([name, true]);
    expect([name, firmware?.features.includes("secure-boot")]).toEqual([
      name,
      text.includes('"secure-boot"'),
    ]);
    expect([name, firmware?.template !== undefined]).toEqual([name, text.includes('"nvram-template"')]);
  }
});

test.each(["", "{", "[]", "{}", '{"interface-types":["uefi"],"mapping":{"device":"flash"}}'])(
  "parseFirmware() passes over %j",
  (text) => {
    expect(parseFirmware(text)).toBeUndefined();
  },
);
