import { checked, element, type ValueOf } from "../../xml/element.ts";
import { attribute, children, content, required } from "../../xml/field.ts";
import { notUnderstood } from "../../xml/refusal.ts";
import { integer, oneOf, yesNo } from "../../xml/value-form.ts";
import { cpuSet } from "../forms/id-set.ts";

/** Maximum number of virtual CPUs of any QEMU machine. */
const MOST_VCPUS = 4096;

/** Number of a virtual CPU. */
export const vcpuId = integer(0, MOST_VCPUS - 1);

/** `<vcpu>`, https://libvirt.org/formatdomain.html#cpu-allocation */
export const vcpu = checked(
  element("vcpu", () => ({
    placement: attribute("placement", oneOf("static", "auto")),
    cpuset: attribute("cpuset", cpuSet),
    current: attribute("current", integer(1, MOST_VCPUS)),
    count: required(content(integer(1, MOST_VCPUS))),
  })),
  (value, node) => {
    if (value.placement === "auto" && value.cpuset !== undefined) {
      throw notUnderstood(
        { node, place: "@cpuset" },
        "placement='auto' leaves the choice of processors to numad",
        "Leave one of them out.",
      );
    }
    if ((value.current ?? 1) <= value.count) return;
    throw notUnderstood(
      { node, place: "@current" },
      `${value.current} is more than the ${value.count} virtual CPUs of the guest`,
      "Write a smaller number there.",
    );
  },
);
export type Vcpu = ValueOf<typeof vcpu>;

const oneVcpu = element("vcpu", () => ({
  id: required(attribute("id", vcpuId)),
  enabled: required(attribute("enabled", yesNo)),
  hotpluggable: attribute("hotpluggable", yesNo),
  order: attribute("order", integer(1, MOST_VCPUS)),
}));

/** `<vcpus>`: settings of each virtual CPU. */
export const vcpus = element("vcpus", () => ({ list: children(oneVcpu) }));
export type Vcpus = ValueOf<typeof vcpus>;
