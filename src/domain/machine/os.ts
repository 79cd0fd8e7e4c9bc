import { checked, element, type ValueOf } from "../../xml/element.ts";
import { attribute, child, children, content, required, textOf } from "../../xml/field.ts";
import { notUnderstood } from "../../xml/refusal.ts";
import { integer, oneOf, yesNo } from "../../xml/value-form.ts";
import { absolutePath, lineOfText, word } from "../forms/text.ts";
import { acpiTables, bios, smbios } from "./boot-tables.ts";
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
