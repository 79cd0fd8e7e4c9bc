import { createDefaultNetwork } from "../../../vm/network/default-network.ts";
import type { Command } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";

/** `svirt net-create-default` */
export const command: Command = {
  spec: {
    name: "net-create-default",
    summary: "define and start libvirt's default network",
    details:
      "The network `default` translates addresses (mode nat): guests are in 192.168.122.0/24 on the bridge virbr0 and get addresses\n" +
      "by DHCP. It needs nft and dnsmasq. A defined network of this name stays and is started. Not a command of virsh.",
    recovery: "none",
    operands: [],
    options: [],
  },
  async run(call) {
    const { did, name } = await createDefaultNetwork(call.instance);
    call.output.print(`Network ${oneLine(name)} ${did ? "started" : "is already active"}\n\n`);
    return undefined;
  },
};
