import { element } from "../xml/element.ts";
import { attribute, child, required } from "../xml/field.ts";
import { oneOf, yesNo } from "../xml/value-form.ts";

/** What `<on_poweroff>` and `<on_reboot>` may say, https://libvirt.org/formatdomain.html#events-configuration */
export const lifecycleAction = oneOf("destroy", "restart");

/** What `<on_crash>` may say. */
export const crashAction = oneOf("destroy", "restart", "preserve", "coredump-destroy", "coredump-restart");

/** What `<on_lockfailure>` may say: what becomes of the guest when a lock manager takes its leases away. */
export const lockFailureAction = oneOf("poweroff", "restart", "pause", "ignore");

const suspendToMem = element("suspend-to-mem", () => ({ enabled: required(attribute("enabled", yesNo)) }));
const suspendToDisk = element("suspend-to-disk", () => ({ enabled: required(attribute("enabled", yesNo)) }));

/** `<pm>`, https://libvirt.org/formatdomain.html#power-management */
export const pm = element("pm", () => ({
  suspendToMem: child(suspendToMem),
  suspendToDisk: child(suspendToDisk),
}));
