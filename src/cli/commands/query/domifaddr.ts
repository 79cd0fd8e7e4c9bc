import { SvirtError } from "../../../errors.ts";
import type { GuestRecord } from "../../../state/record.ts";
import { findRunning } from "../../../vm/guest/find-domain.ts";
import { findInterface } from "../../../vm/guest/guest-interfaces.ts";
import { domainOf } from "../../../vm/query/guest-statistics.ts";
import {
  type AddressedInterface,
  askAddresses,
  listArpAddresses,
} from "../../../vm/query/interface-addresses.ts";
import { type Call, type Command, DOMAIN_OPERAND, JSON_OPTION, operand, printJson } from "../../command.ts";

const SOURCE_REMEDY = "Write --source arp, or --source agent.";

/** `svirt domifaddr DOMAIN [INTERFACE] --source arp` */
export const command: Command = {
  spec: {
    name: "domifaddr",
    summary: "show the IP addresses of a running guest's network interfaces",
    details:
      "From the host's neighbour table (--source arp), which has addresses that the guest used recently; or from the agent\n" +
      "in the guest (--source agent), whose answer is not verified. svirt assigns no addresses, so\n" +
      "it has no leases.",
    operands: [
      DOMAIN_OPERAND,
      {
        name: "interface",
        summary: "name of the interface on the host (vnet0) or, for the agent, in the guest (eth0)",
        isOptional: true,
      },
    ],
    options: [
      { name: "full", summary: "show the name and the MAC address in each line" },
      { name: "source", value: "source", summary: "arp or agent" },
      JSON_OPTION,
    ],
  },
  async run(call) {
    const { guest } = findRunning(call.node, operand(call, "domain"));
    const found = await listAddresses(call, guest);
    if (call.options.has("json")) printJson(call, found);
    else call.output.print(formatAddresses(call, found));
    return undefined;
  },
};

async function listAddresses(
  { node, operands, options }: Call,
  guest: GuestRecord,
): Promise<readonly AddressedInterface[]> {
  const key = operands.get("interface");
  const source = options.get("source") ?? "lease";
  switch (source) {
    case "agent":
      return await askAddresses(node, guest, key);
    case "arp": {
      const all = domainOf(guest).devices.interfaces;
      return listArpAddresses(node, key === undefined ? all : [findInterface(all, key)]);
    }
    case "lease": {
      const why = "svirt gives guests no addresses, so it knows no leases";
      throw new SvirtError(`Failed to query for interfaces addresses: ${why}`, {
        kind: "unsupported",
        remedy: SOURCE_REMEDY,
      });
    }
    default:
      throw new SvirtError(`Unknown data source '${source}'`, { kind: "usage", remedy: SOURCE_REMEDY });
  }
}

/** Formats addresses as virsh does. cmdDomIfAddr() of libvirt's tools/virsh-domain-monitor.c */
function formatAddresses({ options }: Call, found: readonly AddressedInterface[]): string {
  const lines = found.flatMap(({ addresses, interface: name, mac = "N/A" }) => {
    if (addresses.length === 0) return [line(name, mac, `${"N/A".padEnd(12)} N/A`)];
    return addresses.map(({ address, prefix, type }, at) => {
      const words = `${type.padEnd(12)} ${address}/${prefix}`;
      return options.has("full") || at === 0 ? line(name, mac, words) : line("-", "-", words);
    });
  });
  const head = ` ${"Name".padEnd(10)} ${"MAC address".padEnd(20)} ${"Protocol".padEnd(8)}     Address\n`;
  return `${head}${"-".repeat(79)}\n${lines.join("")}\n`;
}

function line(name: string, mac: string, words: string): string {
  return ` ${name.padEnd(10)} ${mac.padEnd(17)}    ${words}\n`;
}
