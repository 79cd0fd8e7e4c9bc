import { SvirtError } from "../../errors.ts";
import { familyOf, formatAddress } from "../address/ip-address.ts";
import { netmaskOf, networkOf } from "../address/subnet.ts";
import type { HostBridge } from "./host-bridge.ts";

// Rule: A bridge has no network that the host reaches by another device.

/** IPv4 network reached by the host by a device. */
interface KnownRoute {
  readonly device: string;
  readonly address: string;
  readonly netmask: string;
}

/**
 * Refuses a bridge with an IPv4 network that the host reaches by another device. Throws "in-use" with
 * libvirt's message. `table` is the text of /proc/net/route. networkCheckRouteCollision() of libvirt
 */
export function refuseCollision({ addresses, routes }: HostBridge, table: string): void {
  const known = parseRoutes(table);
  for (const { address, prefix } of addresses) {
    const other = findRoute(known, address, prefix);
    if (other === undefined) continue;
    throw new SvirtError(`internal error: Network is already in use by interface ${other.device}`, {
      kind: "in-use",
      libvirt: "INTERNAL_ERROR",
      from: "NONE",
      remedy: `Write another address than ${address} into <ip>: svirt net-edit; the host's routes: ip route`,
    });
  }
  for (const { address, prefix } of routes) {
    const other = findRoute(known, address, prefix);
    if (other === undefined) continue;
    throw new SvirtError(
      `internal error: Route address '${address}' conflicts with IP address for '${other.device}'`,
      {
        kind: "in-use",
        libvirt: "INTERNAL_ERROR",
        from: "NONE",
        remedy: "Write another address into <route>: svirt net-edit; the host's routes: ip route",
      },
    );
  }
}

function findRoute(known: readonly KnownRoute[], address: string, prefix: number): KnownRoute | undefined {
  if (familyOf(address) !== "ipv4") return undefined;
  const [wanted, netmask] = [networkOf(address, prefix), netmaskOf(prefix)];
  return known.find((route) => route.address === wanted && route.netmask === netmask);
}

/**
 * Parses /proc/net/route. Addresses are numbers in the machine's byte order. fib_route_seq_show() of Linux
 */
function parseRoutes(table: string): readonly KnownRoute[] {
  return table
    .split("\n")
    .slice(1)
    .flatMap((line) => {
      const [device, destination, , , , , , mask] = line.trim().split(/\s+/);
      const [address, netmask] = [readAddress(destination), readAddress(mask)];
      return device === undefined || address === undefined || netmask === undefined
        ? []
        : [{ device, address, netmask }];
    });
}

/** Reads a number of a little-endian machine: `0100000A` is 10.0.0.1. */
function readAddress(digits: string | undefined): string | undefined {
  const [, a, b, c, d] = /^(..)(..)(..)(..)$/.exec(digits ?? "") ?? [];
  if (d === undefined || !/^[0-9A-Fa-f]{8}$/.test(digits ?? "")) return undefined;
  return formatAddress("ipv4", BigInt(`0x${d}${c}${b}${a}`));
}
