import { SvirtError } from "../../../errors.ts";
import {
  type AddressedInterface,
  type AddressSource,
  listAddresses,
} from "../../../vm/query/interface-addresses.ts";
import { type Call, type Command, DOMAIN_OPERAND, JSON_OPTION, operand, printJson } from "../../command.ts";

/** `svirt domifaddr DOMAIN [INTERFACE]` */
export const command: Command = {
  spec: {
    name: "domifaddr",
    summary: "show the IP addresses of a running guest's network interfaces",
    details:
      "From the leases of the DHCP servers of networks (--source lease, the default); from the host's neighbour table\n" +
      "(--source arp), with the guest's recent addresses; or from the agent in the guest (--source agent),\n" +
      "whose answer is not verified.",
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
      { name: "source", value: "source", summary: "lease, arp or agent" },
      JSON_OPTION,
    ],
  },
  async run(call) {
    const found = await listAddresses(call.instance, operand(call, "domain"), {
      source: sourceOf(call),
      name: call.operands.get("interface"),
    });
    if (call.options.has("json")) printJson(call, found);
    else call.output.print(formatAddresses(call, found));
    return undefined;
  },
};

/** Returns the source that the command line names; virsh's default is `lease`. Throws "usage". */
function sourceOf({ options }: Call): AddressSource {
  const source = options.get("source") ?? "lease";
  if (source === "agent" || source === "arp" || source === "lease") return source;
  throw new SvirtError(`Unknown data source '${source}'`, {
    kind: "usage",
    remedy: "Write --source lease, --source arp, or --source agent.",
  });
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
