import { element } from "../../xml/element.ts";
import { attribute, children, required } from "../../xml/field.ts";
import { anyText, matching } from "../../xml/value-form.ts";

/**
 * Namespace of elements for QEMU only.
 * https://libvirt.org/drvqemu.html#pass-through-of-arbitrary-qemu-commands
 */
export const QEMU_NAMESPACE = "http://libvirt.org/schemas/domain/qemu/1.0";

const variableName = matching(/^[A-Za-z_][A-Za-z0-9_]{0,254}$/, "the name of a variable");

/**
 * `<qemu:commandline>`: raw arguments for QEMU. svirt translates them, but never starts a guest with them.
 */
export const qemuCommandline = element("qemu:commandline", () => ({
  words: children(element("qemu:arg", () => ({ value: required(attribute("value", anyText)) }))),
  variables: children(
    element("qemu:env", () => ({
      name: required(attribute("name", variableName)),
      value: attribute("value", anyText),
    })),
  ),
}));
