import { type Device, withOther } from "../../domain/device.ts";
import type { Domain } from "../../domain/domain.ts";
import type { NewTap } from "../../plan/actions/hotplug.ts";
import { decideTap, isTapped } from "../../plan/decide/tap.ts";
import type { FreeNames } from "../../qemu/hotplug/family.ts";
import { refuseTap } from "../../resolve/host/refuse-privileged.ts";
import { macvtapFacts, nameTap, tapFacts } from "../../resolve/host/taps.ts";
import type { Instance } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";

/**
 * Decides the tap of an interface attached to a running guest; undefined for a device without one. Throws the errors of
 * decideTap().
 */
export function decideNewTap(
  instance: Instance,
  { label, uid }: Pick<GuestRecord, "label" | "uid">,
  { device, names }: { readonly device: Device; readonly names: FreeNames },
): NewTap | undefined {
  if (device.element !== "interface" || !isTapped(device.value)) return undefined;
  refuseTap(instance, device.value, "/interface");
  const alias = device.value.alias ?? names.alias;
  const isDirect = device.value.type === "direct";
  const macvtap = isDirect ? macvtapFacts(instance, { label: label.label, uid }) : {};
  const tap = decideTap({ ...device.value, alias }, alias, { ...tapFacts(instance), ...macvtap });
  return { passed: nameTap(tap, (at) => `fd-${alias}-${at}`), setup: tap.setup, link: tap.link };
}

/** Returns the domain with the name of the device's tap. */
export function withTapName(domain: Domain, device: Device, tap: NewTap | undefined): Domain {
  if (tap === undefined || device.element !== "interface" || !isTapped(device.value)) return domain;
  const { value } = device;
  const target = { ...value.target, dev: tap.passed.name };
  return withOther(domain, device, { element: "interface", value: { ...value, target } });
}
