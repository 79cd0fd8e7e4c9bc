import type { NetworkInterface } from "../../domain/devices/network/interface.ts";
import { SvirtError } from "../../errors.ts";
import type { Instance } from "../../state/instance.ts";
import type { Ask } from "../change/change-domain.ts";
import { decideImpact } from "../change/impact.ts";
import { formOf } from "../guest/domain-form.ts";
import { findDomain } from "../guest/find-domain.ts";
import { findInterface } from "../guest/guest-interfaces.ts";

/** Returns the interfaces of the running guest if the change concerns it, else of the definition. */
function interfacesOf(instance: Instance, { key, options }: Ask): readonly NetworkInterface[] {
  return formOf(instance, decideImpact(findDomain(instance, key), options), "running").devices.interfaces;
}

/** Returns the interface by its device name on the host or its MAC address. Throws "not-found". */
export function findNamedInterface(instance: Instance, ask: Ask, name: string): NetworkInterface {
  return findInterface(interfacesOf(instance, ask), name);
}

/**
 * Returns the only interface of the type, or the interface with the address. Throws "not-found", and "usage"
 * if several match, with virsh's messages. virshDomainDetachInterface()
 */
export function findTypedInterface(
  instance: Instance,
  ask: Ask,
  { mac, type }: { readonly type: string; readonly mac: string | undefined },
): NetworkInterface {
  const ofType = interfacesOf(instance, ask).filter((found) => found.type === type);
  const found =
    mac === undefined ? ofType : ofType.filter((one) => one.mac?.address.toLowerCase() === mac.toLowerCase());
  const [first] = found;
  if (first === undefined) {
    const what = mac === undefined ? `of type '${type}'` : `with MAC address ${mac} of type '${type}'`;
    throw new SvirtError(`No interface ${what} found`, {
      kind: "not-found",
      libvirt: "DEVICE_MISSING",
      remedy: `svirt domiflist ${ask.key} lists the interfaces.`,
    });
  }
  if (found.length === 1) return first;
  throw new SvirtError(
    `Domain has ${found.length} interfaces. Please specify which one to detach using --mac`,
    { kind: "usage", remedy: `List them: svirt domiflist ${ask.key}` },
  );
}
