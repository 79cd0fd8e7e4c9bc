import { SvirtError } from "../../../errors.ts";
import { getDomainCapabilities } from "../../../vm/capabilities/capabilities.ts";
import { readVirtType } from "../../arguments/virt-type.ts";
import { type Command, JSON_OPTION, printJson } from "../../command.ts";

/** `svirt domcapabilities` */
export const command: Command = {
  spec: {
    name: "domcapabilities",
    summary: "print the devices and features supported for guests by QEMU and svirt, as XML",
    details:
      "The XML is libvirt's. QEMU is queried in a guest's SELinux domain, once for each version of QEMU and each boot.",
    recovery: "none",
    operands: [],
    options: [
      { name: "virttype", summary: "kvm or qemu; default: kvm if /dev/kvm exists", value: "TYPE" },
      { name: "emulatorbin", summary: "path of another emulator", value: "FILE" },
      { name: "arch", summary: "x86_64, the only architecture", value: "ARCH" },
      { name: "machine", summary: "pc, q35 or a version of them", value: "MACHINE" },
      JSON_OPTION,
    ],
  },
  async run(call) {
    const type = readVirtType(call, "virttype");
    const arch = call.options.get("arch") ?? "x86_64";
    if (arch !== "x86_64") {
      throw new SvirtError(`unknown architecture: ${arch}`, {
        kind: "usage",
        remedy: "Leave --arch out: svirt supports only x86_64.",
      });
    }
    const { facts, xml, ...kind } = await getDomainCapabilities(call.instance, {
      emulator: call.options.get("emulatorbin"),
      type,
      machine: call.options.get("machine"),
    });
    if (call.options.has("json")) printJson(call, { ...kind, ...facts });
    else call.output.print(`${xml}\n`);
    return undefined;
  },
};
