import { checked, element, type ValueOf } from "../xml/element.ts";
import { attribute, content, required } from "../xml/field.ts";
import { notUnderstood } from "../xml/refusal.ts";
import { integer, oneOf } from "../xml/value-form.ts";

/** `<vcpu>`, https://libvirt.org/formatdomain.html#cpu-allocation */
export const vcpu = checked(
  element("vcpu", {
    placement: attribute("placement", oneOf("static")),
    current: attribute("current", integer(1, 4096)),
    count: required(content(integer(1, 4096))),
  }),
  (value, node) => {
    if ((value.current ?? 1) <= value.count) return;
    throw notUnderstood(
      { node, place: "@current" },
      `${value.current} is more than the ${value.count} virtual CPUs of the guest`,
      "Write a smaller number there.",
    );
  },
);
export type Vcpu = ValueOf<typeof vcpu>;
