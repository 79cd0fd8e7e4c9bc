import { checked, element, type ValueOf } from "../../xml/element.ts";
import { attribute, child, required } from "../../xml/field.ts";
import { notUnderstood } from "../../xml/refusal.ts";
import { integer, yesNo } from "../../xml/value-form.ts";
import { onPci } from "../forms/address.ts";
import { virtioDriver, virtioModel } from "../forms/virtio-driver.ts";

// CIDs 0 to 2 are reserved for the hypervisor and the host. vsock(7)
const cid = element("cid", () => ({
  auto: attribute("auto", yesNo),
  address: attribute("address", integer(3, 2 ** 32 - 1)),
}));

/** `<vsock>`, https://libvirt.org/formatdomain.html#vsock */
export const vsock = checked(
  element("vsock", () => ({
    model: attribute("model", virtioModel),
    cid: required(child(cid)),
    driver: virtioDriver,
    ...onPci,
  })),
  (value, node) => {
    if (value.cid.auto === true || value.cid.address !== undefined) return;
    throw notUnderstood({ node, place: "cid/@address" }, "it is missing", "Write auto='yes', or an address.");
  },
);
export type Vsock = ValueOf<typeof vsock>;
