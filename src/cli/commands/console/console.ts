import { talkToGuest } from "../../../vm/console/talk-to-guest.ts";
import { parseEscapeKey } from "../../arguments/escape-key.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";

/** `svirt console DOMAIN` */
export const command: Command = {
  spec: {
    name: "console",
    summary: "connect to a running guest's console",
    details: [
      "Connects to the first serial port or, if there is none, to the first console, of type pty or unix. Ctrl and ]",
      "disconnects; the guest keeps running. Over SSH: ssh -t NODE svirt console DOMAIN. Without a terminal, input and output",
      "are copied unchanged; after the end of input, output is copied for two more seconds:",
      "printf 'root\\n' | svirt console DOMAIN",
    ].join("\n"),
    operands: [DOMAIN_OPERAND],
    options: [
      { name: "devname", summary: "name of the device: serial0, console1, channel0", value: "NAME" },
      { name: "force", summary: "disconnect the current session first" },
      { name: "safe", summary: "connect only with exclusive access; svirt always does" },
      { name: "escape", short: "e", summary: "key to disconnect: ^] for Ctrl and ]", value: "KEY" },
    ],
  },
  async run(call) {
    const key = parseEscapeKey(call.options.get("escape") ?? "^]");
    await talkToGuest(call.instance, operand(call, "domain"), {
      devname: call.options.get("devname"),
      force: call.options.has("force"),
      leaveBy: key.byte,
      onOpen: (name) =>
        call.output.print(`Connected to domain '${name}'\nEscape character is ${key.shown}\n`),
    });
    call.output.print("\n");
    return undefined;
  },
};
