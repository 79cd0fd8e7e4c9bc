import { SvirtError } from "../../../errors.ts";
import { getSysinfo } from "../../../report/sysinfo.ts";
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
    const xml = getSysinfo(call.instance.host);
    if (xml === undefined) {
      throw new SvirtError("Cannot tell of the host's firmware: the kernel has no /sys/firmware/dmi/tables", {
        kind: "not-found",
        remedy: "See /sys/class/dmi, or ask the host's maker: not every machine has SMBIOS.",
      });
    }
    call.output.print(`${xml}\n`);
    return undefined;
  },
};
