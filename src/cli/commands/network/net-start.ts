import { networkStart } from "../../../vm/network/start-network.ts";
import { NETWORK_OPERAND, operand } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";
import { plannedCommand } from "../../planned-command.ts";

/** `svirt net-start NETWORK` */
export const command = plannedCommand({
  spec: {
    name: "net-start",
    summary: "make a defined network active",
    details:
      "Starts networks that are a bridge of the host (<forward mode='bridge'/> and <bridge name='…'/>), networks over devices\n" +
      "of the host (<forward mode='private'>, vepa, passthrough or bridge with <interface dev='…'/>), and makes the bridge of isolated\n" +
      "networks and of <forward mode='nat'/>, route and open. DHCP and DNS need dnsmasq, modes nat and route nft. Any other one is\n" +
      "refused. An active network does not change; if its DHCP server has ended, it is started again.",
    recovery: "none",
    operands: [NETWORK_OPERAND],
    options: [],
  },
  change: (call) => networkStart(operand(call, "network")),
  report(call, { did, name }) {
    call.output.print(`Network ${oneLine(name)} ${did ? "started" : "is already active"}\n\n`);
  },
});
