import type { NetworkInterface } from "../../domain/devices/network/interface.ts";
import { SvirtError } from "../../errors.ts";
import { parseAgentAnswer } from "../../qemu/agent/answer.ts";
import { ASK_INTERFACES, parseInterfaces } from "../../qemu/agent/interfaces.ts";
import type { Instance } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";
import { askAgent } from "../agent/ask-agent.ts";
import { findRunning } from "../guest/find-domain.ts";
import { findInterface } from "../guest/guest-interfaces.ts";
import { domainOf } from "./guest-statistics.ts";

/** An interface and its addresses, as the host's ARP table or the guest reports them. */
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
 * Lists the addresses of a running guest's interfaces, of all or of the named one. The host's ARP table knows an interface by
 * its name on the host or MAC address, the guest's agent by its name in the guest. Throws "not-found", "wrong-state",
 * "unsupported" for leases, and the errors of askAgent().
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
      const why = "svirt does not assign addresses, so it has no leases";
      throw new SvirtError(`Failed to query for interfaces addresses: ${why}`, {
        kind: "unsupported",
        remedy: "Write --source arp, or --source agent.",
      });
    }
  }
}

/** Returns the interfaces that the agent in a guest reports, by the guest's own names. Throws the errors of askAgent(). */
async function askAddresses(
  instance: Instance,
  guest: GuestRecord,
  name: string | undefined,
): Promise<AddressedInterface[]> {
  const command = JSON.stringify({ execute: ASK_INTERFACES });
  const said = await askAgent(instance, guest, { command, timeoutMs: undefined });
  const found = said === undefined ? [] : parseInterfaces(parseAgentAnswer(said.line, said.name));
  return found
    .filter((one) => name === undefined || one.name === name)
    .map((one) => ({ interface: one.name, mac: one.mac, addresses: one.addresses }));
}

/** ATF_COM of linux/if_arp.h: the neighbour has answered. */
const IS_COMPLETE = 0x2;

/**
 * Lists the addresses of these interfaces in the host's ARP table. An interface without an entry is left out. proc_net(5) arp
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
