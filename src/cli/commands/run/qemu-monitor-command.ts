import * as v from "valibot";
import { SvirtError } from "../../../errors.ts";
import { sendMonitorCommand } from "../../../vm/lifecycle/monitor-command.ts";
import { type Command, DOMAIN_OPERAND, JSON_OPTION, operand } from "../../command.ts";

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
    const { command: name, args } = isHmp
      ? { command: "human-monitor-command", args: { "command-line": words } }
      : readMessage(words);
    const message = { execute: name, arguments: args };
    const answer = await sendMonitorCommand(call.instance, operand(call, "domain"), message);
    const indent = call.options.has("pretty") ? 2 : undefined;
    const text =
      isHmp && !call.options.has("json")
        ? String(answer)
        : JSON.stringify({ return: answer }, undefined, indent);
    call.output.print(`${text}\n\n`);
    return undefined;
  },
};

function readMessage(text: string): { command: string; args: Readonly<Record<string, unknown>> } {
  if (!text.trimStart().startsWith("{")) return { command: text.trim(), args: {} };
  const { output: message, success } = v.safeParse(qmpMessage, parseJson(text));
  if (!success) throw bad(text);
  return { command: message.execute, args: message.arguments };
}

/** Message with no other keys: svirt chooses the "id", and refuses unknown keys instead of dropping them. */
const qmpMessage = v.strictObject({
  execute: v.string(),
  arguments: v.optional(v.record(v.string(), v.unknown()), {}),
});

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw bad(text, error);
  }
}

function bad(text: string, cause?: unknown): SvirtError {
  return new SvirtError(
    `Cannot read the QMP command ${text.slice(0, 80)}: it is not {"execute": NAME, "arguments": {}}`,
    {
      kind: "usage",
      remedy: 'Write it like \'{"execute":"query-status"}\'.',
      cause,
    },
  );
}
