import { checked, element, type ValueOf } from "../../xml/element.ts";
import { attribute, child, children, content, required, textOf } from "../../xml/field.ts";
import { notUnderstood } from "../../xml/refusal.ts";
import { integer, oneOf, yesNo } from "../../xml/value-form.ts";
import { absolutePath, lineOfText, word } from "../forms/text.ts";
import { firmwareRequirements, loader, nvram } from "./firmware.ts";

const osType = element("type", () => ({
  arch: attribute("arch", oneOf("x86_64", "i686")),
  machine: attribute("machine", word),
  system: required(content(oneOf("hvm"))),
}));

const bootDevice = element("boot", () => ({
  dev: required(attribute("dev", oneOf("fd", "hd", "cdrom", "network"))),
}));

const bootMenu = element("bootmenu", () => ({
  enable: required(attribute("enable", yesNo)),
  timeoutMs: attribute("timeout", integer(0, 65535)),
}));

const table = element("table", () => ({
  type: required(attribute("type", oneOf("raw", "slic", "msdm"))),
  path: required(content(absolutePath)),
}));

/** `<acpi>` of `<os>`: ACPI tables for the firmware. virDomainDefParseBootAcpiOptions() of libvirt */
const acpiTables = checked(
  element("acpi", () => ({ tables: children(table) })),
  ({ tables }, node) => {
    const once = tables.map(({ type }) => type).filter((type) => type !== "raw");
    if (new Set(once).size === once.length) return;
    throw notUnderstood({ node, place: "table/@type" }, "another <table> has that type", "Leave one out.");
  },
);

/** `<bios>`, https://libvirt.org/formatdomain.html#bios-bootloader */
const bios = element("bios", () => ({
  useserial: attribute("useserial", yesNo),
  rebootTimeoutMs: attribute("rebootTimeout", integer(-1, 65_535)),
}));

/** `<smbios>`: source of the guest's system information. */
const smbios = element("smbios", () => ({
  mode: required(attribute("mode", oneOf("emulate", "host", "sysinfo"))),
}));

/** `<os>`, https://libvirt.org/formatdomain.html#operating-system-booting */
export const os = checked(
  element("os", () => ({
    firmware: attribute("firmware", oneOf("bios", "efi")),
    type: required(child(osType)),
    firmwareRequirements: child(firmwareRequirements),
    loader: child(loader),
    nvram: child(nvram),
    kernel: textOf("kernel", absolutePath),
    initrd: textOf("initrd", absolutePath),
    cmdline: textOf("cmdline", lineOfText),
    shim: textOf("shim", absolutePath),
    dtb: textOf("dtb", absolutePath),
    acpi: child(acpiTables),
    boot: children(bootDevice),
    bootmenu: child(bootMenu),
    bios: child(bios),
    smbios: child(smbios),
  })),
  (value, node) => {
    const [needsKernel] = (["initrd", "cmdline", "shim"] as const).filter(
      (name) => value[name] !== undefined,
    );
    if (value.kernel !== undefined || needsKernel === undefined) return;
    throw notUnderstood({ node, place: needsKernel }, "it requires a kernel", "Write <kernel> as well.");
  },
);
export type Os = ValueOf<typeof os>;
