import { choice } from "../../xml/choice.ts";
import type { ElementForm } from "../../xml/declaration.ts";
import { checked, element, type ValueOf } from "../../xml/element.ts";
import { attribute, child, required } from "../../xml/field.ts";
import { notUnderstood } from "../../xml/refusal.ts";
import { integer, matching, onOff } from "../../xml/value-form.ts";

const state = required(attribute("state", onOff));

/** Returns the form of `<tag state='on'/>`. */
export function switched<const T extends string>(tag: T): ElementForm<{ readonly state: boolean }> {
  return element(tag, () => ({ state }));
}

const spinlocks = checked(
  element("spinlocks", () => ({ state, retries: attribute("retries", integer(4095, 2 ** 32 - 1)) })),
  (value, node) => {
    if (!value.state || value.retries !== undefined) return;
    throw notUnderstood({ node, place: "@retries" }, "it is missing", "Write retries='8191' there.");
  },
);

const vendorId = checked(
  element("vendor_id", () => ({
    state,
    value: attribute("value", matching(/^[!-+\--~ ]{1,12}$/, "1 to 12 characters without a comma")),
  })),
  (value, node) => {
    if (!value.state || value.value !== undefined) return;
    throw notUnderstood({ node, place: "@value" }, "it is missing", "Write value='KVM Hv' there.");
  },
);

/**
 * `<hyperv>`: Hyper-V enlightenments of the guest, https://libvirt.org/formatdomain.html#hypervisor-features
 */
export const hyperv = choice("hyperv", {
  attribute: "mode",
  absent: "custom",
  of: () => ({
    custom: {
      relaxed: child(switched("relaxed")),
      vapic: child(switched("vapic")),
      spinlocks: child(spinlocks),
      vpindex: child(switched("vpindex")),
      runtime: child(switched("runtime")),
      synic: child(switched("synic")),
      stimer: child(element("stimer", () => ({ state, direct: child(switched("direct")) }))),
      reset: child(switched("reset")),
      vendorId: child(vendorId),
      frequencies: child(switched("frequencies")),
      reenlightenment: child(switched("reenlightenment")),
      tlbflush: child(
        element("tlbflush", () => ({
          state,
          direct: child(switched("direct")),
          extended: child(switched("extended")),
        })),
      ),
      ipi: child(switched("ipi")),
      evmcs: child(switched("evmcs")),
      avic: child(switched("avic")),
      emsrBitmap: child(switched("emsr_bitmap")),
      xmmInput: child(switched("xmm_input")),
    },
    passthrough: {},
  }),
});
export type Hyperv = ValueOf<typeof hyperv>;
