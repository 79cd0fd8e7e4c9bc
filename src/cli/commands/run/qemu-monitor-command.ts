import { parseMonitorMessage, sendMonitorCommand } from "../../../vm/lifecycle/monitor-command.ts";
import { type Command, DOMAIN_OPERAND, JSON_OPTION, operand } from "../../command.ts";
import { visibleJson } from "../../visible-json.ts";

/** `svirt qemu-monitor-command DOMAIN COMMAND` */
export const command: Command = {
  spec: {
    name: "qemu-monitor-command",
    summary: "send a command to a guest's QEMU; svirt does not notice its effects",
    details: [
      'The command is QMP: a whole message (\'{"execute":"query-status"}\') or only a command\'s name.',
      "With --hmp the command is a line for QEMU's human monitor; the answer is text, or JSON with --json.",
    ].join("\n"),
    operands: [DOMAIN_OPERAND, { name: "cmd", summary: "the command", isRepeated: true }],
    options: [
      { name: "hmp", summary: "the command is for the human monitor" },
      { name: "pretty", summary: "print the answer with line breaks" },
      JSON_OPTION,
    ],
  },
  async run(call) {
    const words = call.rest.join(" ");
    const isHmp = call.options.has("hmp");
    const message = isHmp
      ? { execute: "human-monitor-command", arguments: { "command-line": words } }
      : parseMonitorMessage(words);
    const answer = await sendMonitorCommand(call.instance, operand(call, "domain"), message);
    const indent = call.options.has("pretty") ? 2 : undefined;
    const text =
      isHmp && !call.options.has("json")
        ? String(answer)
        : visibleJson(JSON.stringify({ return: answer }, undefined, indent));
    call.output.print(`${text}\n\n`);
    return undefined;
  },
};
