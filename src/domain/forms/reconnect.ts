import { checked, element } from "../../xml/element.ts";
import { attribute, child, required } from "../../xml/field.ts";
import { notUnderstood } from "../../xml/refusal.ts";
import { integer, yesNo } from "../../xml/value-form.ts";

/**
 * `<reconnect>` of a socket of another program, https://libvirt.org/formatdomain.html#vhost-user-interface
 */
export const sourceReconnect = child(
  checked(
    element("reconnect", () => ({
      enabled: required(attribute("enabled", yesNo)),
      timeoutS: attribute("timeout", integer(0, 2 ** 31 - 1)),
    })),
    (value, node) => {
      if (!value.enabled || (value.timeoutS ?? 0) > 0) return;
      throw notUnderstood({ node, place: "@timeout" }, "it requires a timeout", "Write timeout='10'.");
    },
  ),
);
