import { element } from "../xml/element.ts";
import { attribute, child, required } from "../xml/field.ts";
import { oneOf, yesNo } from "../xml/value-form.ts";

/** Values of `<on_poweroff>` and `<on_reboot>`, https://libvirt.org/formatdomain.html#events-configuration */
export const lifecycleAction = oneOf("destroy", "restart");

/** Values of `<on_crash>`. */
export const crashAction = oneOf("destroy", "restart", "preserve", "coredump-destroy", "coredump-restart");

/** Values of `<on_lockfailure>`: the action when a lock manager revokes the guest's leases. */
export const lockFailureAction = oneOf("poweroff", "restart", "pause", "ignore");

const suspendToMem = element("suspend-to-mem", () => ({ enabled: required(attribute("enabled", yesNo)) }));
const suspendToDisk = element("suspend-to-disk", () => ({ enabled: required(attribute("enabled", yesNo)) }));

/** `<pm>`, https://libvirt.org/formatdomain.html#power-management */
export const pm = element("pm", () => ({
  suspendToMem: child(suspendToMem),
  suspendToDisk: child(suspendToDisk),
}));
