import { element } from "../xml/element.ts";
import { attribute, child, flag } from "../xml/field.ts";
import { onOff } from "../xml/value-form.ts";

const vmport = element("vmport", { state: attribute("state", onOff) });

const smm = element("smm", { state: attribute("state", onOff) });

/** `<features>`, https://libvirt.org/formatdomain.html#hypervisor-features */
export const features = element("features", {
  acpi: flag("acpi"),
  apic: flag("apic"),
  pae: flag("pae"),
  vmport: child(vmport),
  smm: child(smm),
});
