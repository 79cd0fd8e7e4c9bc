import { unbound } from "../../domain/devices/network/bound.ts";
import { SvirtError } from "../../errors.ts";
import { listNetworkLeases } from "../../resolve/network-leases.ts";
import type { Instance } from "../../state/instance.ts";
import { readNetwork } from "../../state/networks/networks.ts";
import type { GuestRecord } from "../../state/record.ts";
import { findRunning } from "../guest/find-domain.ts";
import { domainOf } from "../query/guest-statistics.ts";
import { askSystem } from "./ask-system.ts";

/** Sources of a guest's name: its agent, or the DHCP servers of its networks. */
export type HostnameSource = "agent" | "lease";

/** Returns a running guest's own name. Throws "not-found" without a name, and the errors of askSystem(). */
export async function getGuestHostname(
  instance: Instance,
  key: string,
  source: HostnameSource,
): Promise<string> {
  const { guest, name } = findRunning(instance, key);
  const found =
    source === "lease"
      ? leasedName(instance, guest)
      : (await askSystem({ instance, guest }, "guest-get-host-name"))["host-name"];
  if (found !== undefined) return found;
  // qemuDomainGetHostname() of libvirt
  throw new SvirtError(`no hostname found: no hostname found for domain ${name}`, {
    kind: "not-found",
    libvirt: "NO_HOSTNAME",
    remedy: "Ask its agent: --source agent",
  });
}

/** qemuDomainGetHostnameLease() of libvirt */
function leasedName(instance: Instance, guest: GuestRecord): string | undefined {
  for (const found of domainOf(guest).devices.interfaces) {
    const plain = unbound(found);
    const network = plain.type === "network" ? readNetwork(instance, plain.source.network) : undefined;
    if (network === undefined || found.mac === undefined) continue;
    const leases = listNetworkLeases(instance, network, found.mac.address);
    const named = leases.find(({ hostname }) => hostname !== undefined);
    if (named !== undefined) return named.hostname;
  }
  return undefined;
}
