import { SvirtError } from "../../errors.ts";
import { findRunning } from "../../vm/find-domain.ts";
import { findInterface } from "../../vm/guest-interfaces.ts";
import { domainOf } from "../../vm/guest-statistics.ts";
import { type AddressedInterface, listArpAddresses } from "../../vm/interface-addresses.ts";
import { type Call, type Command, DOMAIN_OPERAND, JSON_OPTION, operand, printJson } from "../command.ts";
import { sweepFirst } from "../sweep-first.ts";

/** `svirt domifaddr DOMAIN [INTERFACE] --source arp` */
export const command: Command = {
  spec: {
    name: "domifaddr",
    summary: "the addresses of a running guest's network interfaces",
    details:
      "From what the host has learnt of its neighbours (--source arp): who has spoken with the guest of late. svirt gives\n" +
      "guests no addresses, so it has no leases to tell of.",
    operands: [
      DOMAIN_OPERAND,
      { name: "interface", summary: "its name on the host (vnet0)", isOptional: true },
    ],
    options: [
      { name: "full", summary: "show the name and the MAC address in each line" },
      { name: "source", value: "source", summary: "arp" },
      JSON_OPTION,
    ],
  },
  async run(call) {
    await sweepFirst(call);
    const { guest } = findRunning(call.node, operand(call, "domain"));
    refuseOtherSource(call.options.get("source") ?? "lease");
    const key = operand(call, "interface");
    const all = domainOf(guest).devices.interfaces;
    const found = listArpAddresses(call.node, key === "" ? all : [findInterface(all, key)]);
    if (call.options.has("json")) printJson(call, found);
    else call.output.print(formatAddresses(call, found));
    return undefined;
  },
};

function refuseOtherSource(source: string): void {
  const reasons = new Map([
    ["arp", undefined],
    ["lease", "svirt gives guests no addresses, so it knows no leases"],
    ["agent", "svirt does not talk to agents in guests"],
  ]);
  if (!reasons.has(source)) {
    throw new SvirtError(`Unknown data source '${source}'`, {
      kind: "usage",
      remedy: "Write --source arp.",
    });
  }
  const why = reasons.get(source);
  if (why === undefined) return;
  throw new SvirtError(`Failed to query for interfaces addresses: ${why}`, {
    kind: "unsupported",
    remedy: "Write --source arp.",
  });
}

/** cmdDomIfAddr() of libvirt's tools/virsh-domain-monitor.c */
function formatAddresses({ options }: Call, found: readonly AddressedInterface[]): string {
  const lines = found.flatMap(({ addresses, interface: name, mac }) => {
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
