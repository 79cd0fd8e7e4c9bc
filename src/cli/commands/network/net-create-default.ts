import { defaultNetworkCreation } from "../../../vm/network/default-network.ts";
import { oneLine } from "../../output/one-line.ts";
import { plannedCommand } from "../../planned-command.ts";

/** `svirt net-create-default` */
export const command = plannedCommand({
  spec: {
    name: "net-create-default",
    summary: "define and start libvirt's default network",
    details:
      "The network `default` translates addresses (mode nat): guests are in 192.168.122.0/24 on the bridge virbr0 and get addresses\n" +
      "by DHCP. It needs nft and dnsmasq. A defined network of that name stays and is started. Not a command of virsh.",
    recovery: "none",
    operands: [],
    options: [],
  },
  change: defaultNetworkCreation,
  report(call, { did, name }) {
    call.output.print(`Network ${oneLine(name)} ${did ? "started" : "is already active"}\n\n`);
  },
});
