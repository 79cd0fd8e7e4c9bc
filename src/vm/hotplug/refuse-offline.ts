import type { Device } from "../../domain/device.ts";
import { SvirtError } from "../../errors.ts";
import { hotplugOf } from "../../qemu/hotplug/families.ts";
import { readPolicyFacts } from "../../report/policy-facts.ts";
import { parseContextOrUndefined } from "../../selinux/context.ts";
import type { Instance } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";

// Rule: A guest whose domain may make no connection gets no device on the network.

/**
 * Refuses a user-network interface, or a disk or host device on the network, if the guest's SELinux domain
 * may make no connection. A process keeps the domain in which it was started. Throws "denied".
 */
export function refuseOffline(instance: Instance, guest: GuestRecord, device: Device): void {
  const { baseLabel, label, type } = guest.label;
  if (
    !hotplugOf(device).usesNetwork(device.value) ||
    type !== "dynamic" ||
    label === undefined ||
    baseLabel !== undefined
  )
    return;
  const { domain } = readPolicyFacts(instance.host);
  const is = parseContextOrUndefined(label)?.type;
  const isOffline = [domain, domain.withUsb].some(
    ({ kvm, kvmWithNetwork, qemu, qemuWithNetwork }) =>
      (is === kvm.type && is !== kvmWithNetwork.type) || (is === qemu.type && is !== qemuWithNetwork.type),
  );
  if (!isOffline) return;
  throw new SvirtError(
    `Cannot attach the ${device.element}: the guest was started without network access, and ${is} may not open connections`,
    { kind: "denied", remedy: "Attach it to the definition (--config), and start the guest again." },
  );
}
