import { talkToGuest } from "../../../vm/console/talk-to-guest.ts";
import { findRunning } from "../../../vm/guest/find-domain.ts";
import { parseEscapeKey } from "../../arguments/escape-key.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";

/** `svirt console DOMAIN` */
export const command: Command = {
  spec: {
    name: "console",
    summary: "connect to a running guest's console",
    details: [
      "To the first serial port, or else to the first console, if it is of type pty or unix. Ctrl and ] ends it; the",
      "guest runs on. Over SSH: ssh -t NODE svirt console DOMAIN. Without a terminal input and output are passed on as",
      "they are, and when the input has ended, what the guest says within two seconds:",
      "printf 'root\\n' | svirt console DOMAIN",
    ].join("\n"),
    operands: [DOMAIN_OPERAND],
    options: [
      { name: "devname", summary: "which device: serial0, console1, channel0", value: "NAME" },
      { name: "force", summary: "disconnect whoever is connected already" },
      { name: "safe", summary: "only if nobody else can be connected; svirt always sees to that" },
      { name: "escape", short: "e", summary: "the key that ends it: ^] for Ctrl and ]", value: "KEY" },
    ],
  },
  async run(call) {
    const key = parseEscapeKey(call.options.get("escape") ?? "^]");
    const { guest } = findRunning(call.node, operand(call, "domain"));
    await talkToGuest(call.node, guest, {
      devname: call.options.get("devname"),
      force: call.options.has("force"),
      leaveBy: key.byte,
      onOpen: () =>
        call.output.print(`Connected to domain '${guest.name}'\nEscape character is ${key.shown}\n`),
    });
    call.output.print("\n");
    return undefined;
  },
};
