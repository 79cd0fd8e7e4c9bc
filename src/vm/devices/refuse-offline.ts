import type { Device } from "../../domain/device.ts";
import { SvirtError } from "../../errors.ts";
import { readPolicyFacts } from "../../report/policy-facts.ts";
import { parseContextOrUndefined } from "../../selinux/context.ts";
import type { Node } from "../node.ts";
import type { GuestRecord } from "../record.ts";

/**
 * Refuses a user-network interface for a guest whose domain may make no connection: a process keeps the domain that it
 * was started in. Throws "denied".
 */
export function refuseOffline(node: Node, guest: GuestRecord, device: Device): void {
  const { baseLabel, label, type } = guest.label;
  if (
    device.element !== "interface" ||
    device.value.type !== "user" ||
    type !== "dynamic" ||
    label === undefined ||
    baseLabel !== undefined
  )
    return;
  const { kvm, kvmWithNetwork, qemu, qemuWithNetwork } = readPolicyFacts(node.host).domain;
  const is = parseContextOrUndefined(label)?.type;
  const isOffline =
    (is === kvm.type && is !== kvmWithNetwork.type) || (is === qemu.type && is !== qemuWithNetwork.type);
  if (!isOffline) return;
  throw new SvirtError(
    `Cannot attach the interface: the guest was started without a network, and ${is} may make no connection`,
    { kind: "denied", remedy: "Attach it to the definition (--config), and start the guest again." },
  );
}
