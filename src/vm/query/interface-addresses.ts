import { unbound } from "../../domain/devices/network/bound.ts";
import type { NetworkInterface } from "../../domain/devices/network/interface.ts";
import { parseAgentAnswer } from "../../qemu/agent/answer.ts";
import { ASK_INTERFACES, parseInterfaces } from "../../qemu/agent/interfaces.ts";
import { listNetworkLeases } from "../../resolve/network-leases.ts";
import type { Instance } from "../../state/instance.ts";
import { readNetwork } from "../../state/networks/networks.ts";
import type { GuestRecord } from "../../state/record.ts";
import { responseTimeoutMs } from "../agent/agent-timeout.ts";
import { agentSilent, askAgent } from "../agent/ask-agent.ts";
import { findRunning } from "../guest/find-domain.ts";
import { findInterface } from "../guest/guest-interfaces.ts";
import { domainOf } from "./guest-statistics.ts";

/** An interface and its addresses, as a DHCP server, the host's ARP table or the guest reports them. */
export interface AddressedInterface {
  readonly interface: string;
  /** Undefined: the guest reports none. */
  readonly mac: string | undefined;
  readonly addresses: readonly {
    readonly type: "ipv4" | "ipv6";
    readonly address: string;
    /** 0: unknown, as for a neighbour. */
    readonly prefix: number;
  }[];
}

/** Source of addresses, with libvirt's names. virDomainInterfaceAddressesSource */
export type AddressSource = "lease" | "agent" | "arp";

/**
 * Lists the addresses of a running guest's interfaces, of all or of the named one. The host's ARP table knows
 * an interface by its name on the host or MAC address, as do the DHCP servers of networks; the guest's agent
 * by its name in the guest. Throws "not-found", "wrong-state", and the errors of askAgent().
 */
export async function listAddresses(
  instance: Instance,
  key: string,
  { name, source }: { readonly source: AddressSource; readonly name: string | undefined },
): Promise<readonly AddressedInterface[]> {
  const { guest } = findRunning(instance, key);
  switch (source) {
    case "agent":
      return await askAddresses(instance, guest, name);
    case "arp": {
      const all = domainOf(guest).devices.interfaces;
      return listArpAddresses(instance, name === undefined ? all : [findInterface(all, name)]);
    }
    case "lease": {
      const all = domainOf(guest).devices.interfaces;
      return listLeases(instance, name === undefined ? all : [findInterface(all, name)]);
    }
  }
}

/**
 * Lists the addresses given by the DHCP servers of networks to these interfaces. An interface without a
 * lease, or without its network, is left out. qemuGetDHCPInterfaces() of libvirt
 */
function listLeases(instance: Instance, interfaces: readonly NetworkInterface[]): AddressedInterface[] {
  return interfaces.flatMap((found) => {
    const { mac, target } = found;
    const plain = unbound(found);
    if (plain.type !== "network" || mac === undefined) return [];
    const network = readNetwork(instance, plain.source.network);
    const leases = network === undefined ? [] : listNetworkLeases(instance, network, mac.address);
    const addresses = leases.map(({ address, prefix, protocol }) => ({ type: protocol, address, prefix }));
    const listed = { interface: target?.dev ?? "-", mac: mac.address.toLowerCase(), addresses };
    return addresses.length === 0 ? [] : [listed];
  });
}

/**
 * Returns the interfaces that the agent in a guest reports, by the guest's own names. Throws the errors of
 * askAgent().
 */
async function askAddresses(
  instance: Instance,
  guest: GuestRecord,
  name: string | undefined,
): Promise<AddressedInterface[]> {
  const command = JSON.stringify({ execute: ASK_INTERFACES });
  const timeoutMs = responseTimeoutMs(guest);
  const said = await askAgent(instance, guest, { command, timeoutMs, isAnswered: true });
  if (said === undefined) throw agentSilent(guest.name, { isAnswered: true });
  const found = parseInterfaces(parseAgentAnswer(said.line, said.name));
  return found
    .filter((one) => name === undefined || one.name === name)
    .map((one) => ({ interface: one.name, mac: one.mac, addresses: one.addresses }));
}

/** ATF_COM of linux/if_arp.h: the neighbour has answered. */
const IS_COMPLETE = 0x2;

/**
 * Lists the addresses of these interfaces in the host's ARP table. An interface without an entry is left out.
 * proc_net(5) arp
 */
function listArpAddresses({ host }: Instance, interfaces: readonly NetworkInterface[]): AddressedInterface[] {
  const lines = (host.readText("/proc/net/arp") ?? "").split("\n").slice(1);
  const known = lines.flatMap((line) => {
    const [address = "", , flags = "0", mac = ""] = line.trim().split(/\s+/);
    return (Number(flags) & IS_COMPLETE) === 0 ? [] : [{ address, mac: mac.toLowerCase() }];
  });
  return interfaces.flatMap(({ mac, target }) => {
    const wanted = mac?.address.toLowerCase() ?? "";
    const addresses = known
      .filter((one) => one.mac === wanted)
      .map(({ address }) => ({ type: "ipv4" as const, address, prefix: 0 }));
    return addresses.length === 0 ? [] : [{ interface: target?.dev ?? "-", mac: wanted, addresses }];
  });
}
