import { cpuSet } from "../../../domain/forms/id-set.ts";
import { SvirtError } from "../../../errors.ts";
import { getGuestVcpus, setGuestVcpus } from "../../../vm/guest-system/guest-vcpus.ts";
import { onlyOne } from "../../arguments/exclusive.ts";
import { type Command, DOMAIN_OPERAND, JSON_OPTION, operand, printJson } from "../../command.ts";

/** `svirt guestvcpus DOMAIN` */
export const command: Command = {
  spec: {
    name: "guestvcpus",
    summary: "show or change the virtual CPUs used by a guest's system, by its agent",
    details: "The numbers come from the guest's system, as reported by its agent.",
    operands: [DOMAIN_OPERAND],
    options: [
      { name: "cpulist", summary: "virtual CPUs to enable or disable, such as 1-3", value: "LIST" },
      { name: "enable", summary: "have the system use the virtual CPUs of --cpulist" },
      { name: "disable", summary: "have the system not use the virtual CPUs of --cpulist" },
      JSON_OPTION,
    ],
  },
  async run(call) {
    const key = operand(call, "domain");
    const how = onlyOne(call, ["enable", "disable"]);
    const list = call.options.get("cpulist");
    if ((how === undefined) !== (list === undefined)) throw incomplete(how);
    if (list !== undefined) {
      const ids = cpuSet.decode(list);
      if (ids === undefined) throw notAList(list);
      await setGuestVcpus(call.instance, key, { ids, isOnline: how === "enable" });
      return undefined;
    }
    const found = await getGuestVcpus(call.instance, key);
    if (call.options.has("json")) printJson(call, found);
    else {
      const lines = Object.entries(found).map(([name, ids]) => `${name.padEnd(15)}: ${cpuSet.encode(ids)}\n`);
      call.output.print(`${lines.join("")}\n`);
    }
    return undefined;
  },
};

/** cmdGuestvcpus() of libvirt's tools/virsh-domain.c */
function incomplete(how: string | undefined): SvirtError {
  const message =
    how === undefined
      ? "One of options --enable or --disable is required by option --cpulist"
      : `Option --cpulist is required by option --${how}`;
  return new SvirtError(message, { kind: "usage", remedy: "See: svirt guestvcpus --help" });
}

function notAList(list: string): SvirtError {
  return new SvirtError(`invalid argument: Failed to parse bitmap '${list}'`, {
    kind: "usage",
    remedy: `Name ${cpuSet.expects}.`,
  });
}
