import { checked, element } from "../../xml/element.ts";
import { attribute, child, required } from "../../xml/field.ts";
import { notUnderstood } from "../../xml/refusal.ts";
import { integer, onOff, yesNo } from "../../xml/value-form.ts";
import { absolutePath } from "./text.ts";

/** `<acpi index='…'/>`: the firmware's number of a PCI device in the guest. */
export const acpiIndex = child(
  element("acpi", () => ({ index: required(attribute("index", integer(1, 16_383))) })),
);

const grammar = element("rom", () => ({
  enabled: attribute("enabled", yesNo),
  bar: attribute("bar", onOff),
  file: attribute("file", absolutePath),
}));

/** `<rom>` of a PCI device: its option ROM. https://libvirt.org/formatdomain.html#network-interfaces */
export const rom = child(
  checked(grammar, ({ enabled, bar, file }, node) => {
    if (enabled !== false || (bar ?? file) === undefined) return;
    const place = bar === undefined ? "@file" : "@bar";
    throw notUnderstood({ node, place }, "the ROM is disabled", "Leave it out.");
  }),
);
