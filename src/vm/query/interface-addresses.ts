import type { NetworkInterface } from "../../domain/devices/network/interface.ts";
import { parseAgentAnswer } from "../../qemu/agent/answer.ts";
import { ASK_INTERFACES, parseInterfaces } from "../../qemu/agent/interfaces.ts";
import type { Node } from "../../state/instance.ts";
import type { GuestRecord } from "../../state/record.ts";
import { askAgent } from "../agent/ask-agent.ts";

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

/** Returns the interfaces that the agent in a guest reports, by the guest's own names. Throws the errors of askAgent(). */
export async function askAddresses(
  node: Node,
  guest: GuestRecord,
  name: string | undefined,
): Promise<AddressedInterface[]> {
  const command = JSON.stringify({ execute: ASK_INTERFACES });
  const said = await askAgent(node, guest, { command, timeoutMs: undefined });
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
export function listArpAddresses(
  { host }: Node,
  interfaces: readonly NetworkInterface[],
): AddressedInterface[] {
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
