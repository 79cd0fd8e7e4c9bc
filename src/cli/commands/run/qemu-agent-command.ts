import { formatAgentAnswer } from "../../../qemu/agent/answer.ts";
import { sendAgentCommand } from "../../../vm/agent/agent-command.ts";
import { onlyOne } from "../../arguments/exclusive.ts";
import { parseWhole } from "../../arguments/whole-number.ts";
import { type Call, type Command, DOMAIN_OPERAND, operand } from "../../command.ts";
import { visibleJsonBytes } from "../../visible-json.ts";

const MOST_SECONDS = 86_400;

/** `svirt qemu-agent-command DOMAIN COMMAND` */
export const command: Command = {
  spec: {
    name: "qemu-agent-command",
    summary: "send a command to the agent in a running guest (qemu-guest-agent)",
    details: [
      'The command is a whole message, such as \'{"execute":"guest-ping"}\'. The agent needs a channel in the',
      "definition: type unix, with the name org.qemu.guest_agent.0. The answer comes from the guest and is not verified.",
    ].join("\n"),
    operands: [DOMAIN_OPERAND, { name: "cmd", summary: "the command" }],
    options: [
      { name: "timeout", summary: "how long to wait for the answer; 5 s by default", value: "SECONDS" },
      { name: "async", summary: "do not wait for an answer" },
      { name: "block", summary: "wait for the answer as long as an agent is connected" },
      { name: "pretty", summary: "print the answer with line breaks" },
    ],
  },
  async run(call) {
    const timeoutMs = timeoutOf(call);
    const options = { command: operand(call, "cmd"), timeoutMs };
    const said = await sendAgentCommand(call.instance, operand(call, "domain"), options);
    if (said === undefined) return undefined;
    const indent = call.options.has("pretty") ? 2 : undefined;
    for (const piece of formatAgentAnswer(said.line, said.name, indent))
      call.output.printBytes(visibleJsonBytes(piece));
    call.output.print("\n\n");
    return undefined;
  },
};

function timeoutOf(call: Call): number | undefined {
  switch (onlyOne(call, ["timeout", "async", "block"])) {
    case undefined:
      return undefined;
    case "async":
      return 0;
    case "block":
      return Number.POSITIVE_INFINITY;
    case "timeout":
      return 1000 * parseWhole(call.options.get("timeout") ?? "", "timeout", [1, MOST_SECONDS]);
  }
}
