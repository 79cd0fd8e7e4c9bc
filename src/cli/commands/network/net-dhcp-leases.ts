import { listDhcpLeases } from "../../../vm/network/dhcp-leases.ts";
import { type Command, JSON_OPTION, NETWORK_OPERAND, operand, printJson } from "../../command.ts";
import { formatTable } from "../../output/table.ts";

/** `svirt net-dhcp-leases NETWORK` */
export const command: Command = {
  spec: {
    name: "net-dhcp-leases",
    summary: "list the addresses that a network's DHCP server has given to guests",
    details:
      "Networks that svirt starts have no DHCP server, so the list is empty. `svirt domifaddr` shows a guest's addresses.",
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
    else call.output.print(formatTable(HEADER, leases));
    return Promise.resolve(undefined);
  },
};

/** cmdNetworkDHCPLeases() of libvirt's tools/virsh-network.c */
const HEADER = ["Expiry Time", "MAC address", "Protocol", "IP address", "Hostname", "Client ID or DUID"];
