import { choice } from "../../xml/choice.ts";
import { checked, element, type ValueOf } from "../../xml/element.ts";
import { attribute, child, children, content, required } from "../../xml/field.ts";
import type { XmlNode } from "../../xml/node.ts";
import { notUnderstood } from "../../xml/refusal.ts";
import { matching, oneOf } from "../../xml/value-form.ts";
import { absolutePath, lineOfText } from "../forms/text.ts";

/** Returns the form of a table with these entry names: at least one entry, and none twice. */
function table(tag: string, ...names: readonly string[]) {
  const entry = element("entry", () => ({
    name: required(attribute("name", oneOf(...names))),
    value: required(content(lineOfText)),
  }));
  return checked(
    element(tag, () => ({ entries: children(entry) })),
    ({ entries }, node) => {
      const found = entries.map(({ name }) => name);
      if (found.length > 0 && new Set(found).size === found.length) return;
      throw notUnderstood(
        { node, place: "entry" },
        "it must list at least one name, and each name once",
        "Write one <entry name='…'> for each name.",
      );
    },
  );
}

const oemStrings = element("oemStrings", () => ({
  entries: children(element("entry", () => ({ value: required(content(lineOfText)) }))),
}));

/** Names below "opt/" are free, except for two vendors' names. qemu.git docs/specs/fw_cfg.rst */
const fwcfgName = matching(
  /^opt\/(?!ovmf\/|org\.qemu\/)[^,\p{Cc}]{1,51}$/u,
  'a name such as "opt/com.example/name", at most 55 characters without a comma',
);

const fwcfgEntry = checked(
  element("entry", () => ({
    name: required(attribute("name", fwcfgName)),
    file: attribute("file", absolutePath),
    value: content(lineOfText),
  })),
  ({ file, value }, node) => {
    if ((file === undefined) !== (value === undefined)) return;
    throw notUnderstood({ node }, "it must have either a value or a file", "Leave one of them out.");
  },
);

const grammar = choice("sysinfo", {
  attribute: "type",
  of: () => ({
    smbios: {
      bios: child(table("bios", "vendor", "version", "date", "release")),
      system: child(table("system", "manufacturer", "product", "version", "serial", "uuid", "sku", "family")),
      baseBoards: children(
        table("baseBoard", "manufacturer", "product", "version", "serial", "asset", "location"),
      ),
      chassis: child(table("chassis", "manufacturer", "version", "serial", "asset", "sku")),
      oemStrings: child(oemStrings),
    },
    fwcfg: { entries: children(fwcfgEntry) },
  }),
});

/** `<sysinfo>`, https://libvirt.org/formatdomain.html#smbios-system-information */
export const sysinfo = checked(grammar, refuseDate);
export type Sysinfo = ValueOf<typeof grammar>;

// virSysinfoBIOSParseXML() of libvirt: mm/dd/yyyy, or yy
function refuseDate(value: Sysinfo, node: XmlNode): void {
  if (value.type !== "smbios") return;
  const date = value.bios?.entries.find(({ name }) => name === "date")?.value;
  if (date === undefined || /^(?:0?[1-9]|1[0-2])\/(?:0?[1-9]|[12]\d|3[01])\/(?:\d\d|\d{4})$/.test(date))
    return;
  throw notUnderstood(
    { node, place: "bios/entry" },
    `"date" must have the form 12/31/2025`,
    "Write month/day/year.",
  );
}
