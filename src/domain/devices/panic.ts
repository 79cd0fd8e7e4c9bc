import { choice } from "../../xml/choice.ts";
import type { ValueOf } from "../../xml/element.ts";
import { child } from "../../xml/field.ts";
import { isaAddress, onPci } from "../forms/address.ts";
import { alias } from "../forms/alias.ts";

/** `<panic>`, by which a guest reports a crash. https://libvirt.org/formatdomain.html#panic-device */
export const panic = choice("panic", {
  attribute: "model",
  absent: "isa",
  of: () => ({ isa: { alias, address: child(isaAddress) }, hyperv: { alias }, pvpanic: onPci }),
  refused: { pseries: "it is for another processor", s390: "it is for another processor" },
});
export type Panic = ValueOf<typeof panic>;
