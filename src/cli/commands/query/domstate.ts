import type { Node } from "../../../state/instance.ts";
import { readReason } from "../../../state/reason.ts";
import { type FoundDomain, findDomain } from "../../../vm/guest/find-domain.ts";
import { getGuestState } from "../../../vm/query/guest-state.ts";
import { type Command, DOMAIN_OPERAND, JSON_OPTION, operand, printJson } from "../../command.ts";

/** `svirt domstate DOMAIN` */
export const command: Command = {
  spec: {
    name: "domstate",
    summary: "show the state of a domain",
    operands: [DOMAIN_OPERAND],
    options: [{ name: "reason", summary: "also show the reason" }, JSON_OPTION],
  },
  async run(call) {
    const { reason, state } = await stateOf(call.node, findDomain(call.node, operand(call, "domain")));
    if (call.options.has("json")) printJson(call, { state, reason });
    else call.output.print(call.options.has("reason") ? `${state} (${reason})\n\n` : `${state}\n\n`);
    return undefined;
  },
};

async function stateOf(node: Node, found: FoundDomain): Promise<{ state: string; reason: string }> {
  if (found.guest !== undefined) return await getGuestState(node, found.guest);
  return { state: "shut off", reason: readReason(node, found.uuid) ?? "unknown" };
}
