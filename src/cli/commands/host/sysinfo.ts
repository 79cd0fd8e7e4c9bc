import { getSysinfoXml } from "../../../vm/host/description.ts";
import type { Command } from "../../command.ts";

/** `svirt sysinfo` */
export const command: Command = {
  spec: {
    name: "sysinfo",
    summary: "print the host's SMBIOS data, as XML",
    recovery: "none",
    operands: [],
    options: [],
  },
  async run(call) {
    call.output.print(`${getSysinfoXml(call.instance)}\n`);
    return undefined;
  },
};
