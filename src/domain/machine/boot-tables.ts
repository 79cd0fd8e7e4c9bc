import { checked, element } from "../../xml/element.ts";
import { attribute, children, content, required } from "../../xml/field.ts";
import { notUnderstood } from "../../xml/refusal.ts";
import { integer, oneOf, yesNo } from "../../xml/value-form.ts";
import { absolutePath } from "../forms/text.ts";

const table = element("table", () => ({
  type: required(attribute("type", oneOf("raw", "slic", "msdm"))),
  path: required(content(absolutePath)),
}));

/** `<acpi>` of `<os>`: ACPI tables for the firmware. virDomainDefParseBootAcpiOptions() of libvirt */
export const acpiTables = checked(
  element("acpi", () => ({ tables: children(table) })),
  ({ tables }, node) => {
    const once = tables.map(({ type }) => type).filter((type) => type !== "raw");
    if (new Set(once).size === once.length) return;
    throw notUnderstood({ node, place: "table/@type" }, "another <table> has that type", "Leave one out.");
  },
);

/** `<bios>`, https://libvirt.org/formatdomain.html#bios-bootloader */
export const bios = element("bios", () => ({
  useserial: attribute("useserial", yesNo),
  rebootTimeoutMs: attribute("rebootTimeout", integer(-1, 65_535)),
}));

/** `<smbios>`: source of the system information that the guest sees. */
export const smbios = element("smbios", () => ({
  mode: required(attribute("mode", oneOf("emulate", "host", "sysinfo"))),
}));
