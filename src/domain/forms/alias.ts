import type { Field } from "../../xml/declaration.ts";
import { element } from "../../xml/element.ts";
import { attribute, child, required } from "../../xml/field.ts";
import { matching } from "../../xml/value-form.ts";

/** Alias of a device. An alias assigned by the hypervisor, `pci.0`, may be any text: it is ignored. */
const name = matching(
  /^(?:ua-[A-Za-z0-9_-]{0,125}|(?!ua-)[^\p{Cc}]{1,128})$/u,
  "an alias of ua- and letters, digits, _ and -",
);
const field = child(element("alias", () => ({ name: required(attribute("name", name)) })));

/**
 * `<alias name='ua-…'/>`. An alias without `ua-` was assigned to a running guest by the hypervisor and is
 * ignored. https://libvirt.org/formatdomain.html#devices
 */
export const alias: Field<string | undefined> = {
  place: field.place,
  read(node, faults) {
    const found = field.read(node, faults)?.name;
    return found?.startsWith("ua-") ? found : undefined;
  },
  write: (draft, value) => field.write(draft, value === undefined ? undefined : { name: value }),
};
