import { element } from "../../xml/element.ts";
import { attribute, required, textOf } from "../../xml/field.ts";
import { oneOf } from "../../xml/value-form.ts";
import { onPci } from "../forms/address.ts";
import { sizeInKiB } from "../forms/memory-size.ts";
import { absolutePath } from "../forms/text.ts";

/** `<pstore>`, storage for a guest's crash messages. https://libvirt.org/formatdomain.html#pstore */
export const pstore = element("pstore", () => ({
  backend: required(attribute("backend", oneOf("acpi-erst"))),
  path: required(textOf("path", absolutePath)),
  sizeKiB: required(sizeInKiB("size")),
  ...onPci,
}));
