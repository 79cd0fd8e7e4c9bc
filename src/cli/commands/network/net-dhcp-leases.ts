import type { Lease } from "../../../network/server/leases.ts";
import { listDhcpLeases } from "../../../vm/network/dhcp-leases.ts";
import { type Command, JSON_OPTION, NETWORK_OPERAND, operand, printJson } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";
import { formatTable } from "../../output/table.ts";

/** `svirt net-dhcp-leases NETWORK` */
export const command: Command = {
  spec: {
    name: "net-dhcp-leases",
    summary: "list the addresses given to guests by a network's DHCP server",
    details:
      "Networks that make their bridge have a DHCP server if their XML has <dhcp>; of others the list is empty. Times are in UTC.\n" +
      "`svirt domifaddr` shows a guest's addresses.",
    recovery: "none",
    operands: [NETWORK_OPERAND],
    options: [
      { name: "mac", value: "address", summary: "only the addresses of this MAC address" },
      JSON_OPTION,
    ],
  },
  run(call) {
    const leases = listDhcpLeases(call.instance, operand(call, "network"), call.options.get("mac"));
    if (call.options.has("json")) printJson(call, leases);
    else call.output.print(formatTable(HEADER, leases.map(toRow)));
    return Promise.resolve(undefined);
  },
};

/** Returns the cells of a lease. A guest chooses its host name itself. */
function toRow({ address, clientId, expiresAt, hostname, mac, prefix, protocol }: Lease): readonly string[] {
  const time = new Date(expiresAt * 1000).toISOString().slice(0, "2025-07-31T23:59:59".length);
  const ids = [hostname, clientId].map((text) => oneLine(text ?? "-"));
  return [time.replace("T", " "), mac ?? "-", protocol, `${address}/${prefix}`, ...ids];
}

/** cmdNetworkDHCPLeases() of libvirt's tools/virsh-network.c */
const HEADER = ["Expiry Time", "MAC address", "Protocol", "IP address", "Hostname", "Client ID or DUID"];
