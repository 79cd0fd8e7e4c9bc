import { element } from "../xml/element.ts";
import { attribute, required, textOf } from "../xml/field.ts";
import { oneOf } from "../xml/value-form.ts";
import { onPci } from "./address.ts";
import { sizeInKiB } from "./memory.ts";
import { absolutePath } from "./words.ts";

/** `<pstore>`, where a guest keeps its last words. https://libvirt.org/formatdomain.html#pstore */
export const pstore = element("pstore", () => ({
  backend: required(attribute("backend", oneOf("acpi-erst"))),
  path: required(textOf("path", absolutePath)),
  sizeKiB: required(sizeInKiB("size")),
  ...onPci,
}));
