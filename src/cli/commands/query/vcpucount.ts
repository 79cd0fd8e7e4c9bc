import { countGuestVcpus } from "../../../vm/guest-system/guest-vcpus.ts";
import { getVcpuCount, listVcpuCounts, type VcpuCount } from "../../../vm/query/vcpu-counts.ts";
import { onlyOne } from "../../arguments/exclusive.ts";
import { type Call, type Command, DOMAIN_OPERAND, JSON_OPTION, operand, printJson } from "../../command.ts";
import { impactOf } from "../../device-change.ts";

/** `svirt vcpucount DOMAIN` */
export const command: Command = {
  spec: {
    name: "vcpucount",
    summary: "show the number of a domain's virtual CPUs, maximum and current",
    operands: [DOMAIN_OPERAND],
    options: [
      { name: "maximum", summary: "only the maximum" },
      { name: "active", summary: "only the current number" },
      {
        name: "guest",
        summary: "only the virtual CPUs known to or used by the guest's system, by its agent",
      },
      { name: "live", summary: "only the running guest's" },
      { name: "config", summary: "only the definition's" },
      { name: "current", summary: "only the guest's if it runs, else the definition's" },
      JSON_OPTION,
    ],
  },
  async run(call) {
    const wanted = ["maximum", "active", "guest", "live", "config", "current"].filter((name) =>
      call.options.has(name),
    );
    if (wanted.length > 0) {
      call.output.print(`${await countOne(call)}\n\n`);
      return undefined;
    }
    const counts = await listVcpuCounts(call.instance, operand(call, "domain"));
    if (call.options.has("json")) printJson(call, counts);
    else call.output.print(`${counts.map(formatCount).join("")}\n`);
    return undefined;
  },
};

function formatCount({ count, of, what }: VcpuCount): string {
  return `${what.padEnd(12)} ${of.padEnd(12)} ${String(count).padStart(3)}\n`;
}

/** Returns a number of a state, printed by virsh for scripts. */
async function countOne(call: Call): Promise<number> {
  onlyOne(call, ["maximum", "active"]);
  onlyOne(call, ["live", "config"]);
  onlyOne(call, ["guest", "config"]);
  const what = call.options.has("maximum") ? "maximum" : "current";
  const key = operand(call, "domain");
  if (call.options.has("guest")) return await countGuestVcpus(call.instance, key, what);
  return await getVcpuCount(call.instance, key, { what, options: impactOf(call) });
}
