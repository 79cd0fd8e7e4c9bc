import { startNetwork } from "../../../vm/network/start-network.ts";
import { type Command, NETWORK_OPERAND, operand } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";

/** `svirt net-start NETWORK` */
export const command: Command = {
  spec: {
    name: "net-start",
    summary: "make a defined network active",
    details:
      "Starts networks that are a bridge of the host (<forward mode='bridge'/> and <bridge name='…'/>), networks over devices\n" +
      "of the host (<forward mode='private'>, vepa, passthrough or bridge with <interface dev='…'/>), and makes the bridge of isolated\n" +
      "networks and of <forward mode='nat'/>, route and open. DHCP and DNS need dnsmasq, modes nat and route nft. Any other network is\n" +
      "refused. An active network does not change; if its DHCP server has ended, it is started again.",
    recovery: "none",
    operands: [NETWORK_OPERAND],
    options: [],
  },
  async run(call) {
    const { did, name } = await startNetwork(call.instance, operand(call, "network"));
    call.output.print(`Network ${oneLine(name)} ${did ? "started" : "is already active"}\n\n`);
    return undefined;
  },
};
