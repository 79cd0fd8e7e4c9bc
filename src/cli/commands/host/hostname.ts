import { type Command, JSON_OPTION, printJson } from "../../command.ts";

/** `svirt hostname` */
export const command: Command = {
  spec: {
    name: "hostname",
    summary: "print the host's name",
    recovery: "none",
    operands: [],
    options: [JSON_OPTION],
  },
  async run(call) {
    const hostname = (call.instance.host.readText("/proc/sys/kernel/hostname") ?? "localhost").trim();
    if (call.options.has("json")) printJson(call, { hostname });
    else call.output.print(`${hostname}\n\n`);
    return undefined;
  },
};
