import type { NetworkInterface } from "../../domain/devices/network/interface.ts";
import { SvirtError } from "../../errors.ts";
import { NETWORK_DEVICES } from "../../plan/paths.ts";
import type { Instance } from "../../state/instance.ts";

/** Traffic counters of an interface, as its guest counts them. */
export interface InterfaceStatistics {
  readonly rxBytes: number;
  readonly rxPackets: number;
  readonly rxErrors: number;
  readonly rxDropped: number;
  readonly txBytes: number;
  readonly txPackets: number;
  readonly txErrors: number;
  readonly txDropped: number;
}

/**
 * Returns the interface by its device name on the host or its MAC address. Throws "not-found" with virsh's
 * message. cmdDomIfGetLink() of libvirt's tools, virDomainNetFind() of libvirt
 */
export function findInterface(interfaces: readonly NetworkInterface[], key: string): NetworkInterface {
  const isMac = /^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(key);
  const found = interfaces.find(({ mac, target }) =>
    isMac ? mac?.address.toLowerCase() === key.toLowerCase() : target?.dev === key,
  );
  if (found !== undefined) return found;
  throw new SvirtError(`Interface (${isMac ? "mac" : "dev"}: ${key}) not found.`, {
    kind: "not-found",
    libvirt: "INVALID_ARG",
    from: "DOMAIN",
    remedy: "svirt domiflist lists the interfaces.",
  });
}

/**
 * Returns the kernel's counters of a tap with the directions swapped: the guest receives the packets that the
 * host sends. The counters of a macvtap already have the guest's direction. Throws "not-found" with libvirt's
 * message if the device is missing. virNetDevTapInterfaceStats()
 */
export function readInterfaceStatistics(
  { host }: Instance,
  device: string,
  type: NetworkInterface["type"] | undefined,
): InterfaceStatistics {
  const read = (counter: string): number => {
    const text = host.readText(`${NETWORK_DEVICES}/${device}/statistics/${counter}`);
    if (text !== undefined) return Number(text.trim());
    throw new SvirtError(`internal error: /proc/net/dev: Interface '${device}' not found`, {
      kind: "not-found",
      libvirt: "INTERNAL_ERROR",
      remedy: "svirt domiflist lists the interfaces.",
    });
  };
  const [rx, tx] = type === "direct" ? ["rx", "tx"] : ["tx", "rx"];
  return {
    rxBytes: read(`${rx}_bytes`),
    rxPackets: read(`${rx}_packets`),
    rxErrors: read(`${rx}_errors`),
    rxDropped: read(`${rx}_dropped`),
    txBytes: read(`${tx}_bytes`),
    txPackets: read(`${tx}_packets`),
    txErrors: read(`${tx}_errors`),
    txDropped: read(`${tx}_dropped`),
  };
}
