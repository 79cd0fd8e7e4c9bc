import { element } from "../../xml/element.ts";
import { attribute, child, required, textOf } from "../../xml/field.ts";
import { integer } from "../../xml/value-form.ts";
import { absolutePath, objectName } from "../forms/text.ts";

const target = element("target", () => ({
  path: required(attribute("path", absolutePath)),
  offset: attribute("offset", integer(0, Number.MAX_SAFE_INTEGER)),
}));

/** `<lease>` of a lock manager, https://libvirt.org/formatdomain.html#device-leases */
export const lease = element("lease", () => ({
  lockspace: textOf("lockspace", objectName),
  key: required(textOf("key", objectName)),
  target: required(child(target)),
}));
