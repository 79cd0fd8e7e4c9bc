import { serveClient } from "../../../rpc/serve.ts";
import { type Command, operand } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";

/** `svirt virt-ssh-helper [--readonly] URI` */
export const command: Command = {
  spec: {
    name: "virt-ssh-helper",
    summary:
      "serve a client of libvirt, such as virsh -c qemu+ssh://NODE/system, on standard input and output",
    details:
      "Clients of libvirt run virt-ssh-helper on the node over SSH: make a link of this name to svirt in a folder of sshd's PATH.\n" +
      "svirt shell recognizes their command without a link. The process ends with the connection. docs/clients.md lists the\n" +
      "answered procedures.",
    recovery: "none",
    operands: [{ name: "uri", summary: "qemu:///system or qemu:///session, as libvirt's client sends it" }],
    options: [{ name: "readonly", short: "r", summary: "allow only calls that change nothing" }],
  },
  async run(call) {
    await serveClient({
      instance: call.instance,
      uri: operand(call, "uri"),
      isForReading: call.options.has("readonly"),
      warn: (problem) =>
        call.output.warn(`warning: ${oneLine(typeof problem === "string" ? problem : problem.message)}\n`),
    });
    return undefined;
  },
};
