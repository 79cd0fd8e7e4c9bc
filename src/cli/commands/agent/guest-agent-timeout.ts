import { setResponseTimeout } from "../../../vm/agent/agent-timeout.ts";
import { parseInt32 } from "../../arguments/whole-number.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";

/** VIR_DOMAIN_AGENT_RESPONSE_TIMEOUT_BLOCK of libvirt, virsh's default. */
const BLOCK = "-2";

/** `svirt guest-agent-timeout DOMAIN` */
export const command: Command = {
  spec: {
    name: "guest-agent-timeout",
    summary: "set how long to wait for answers of a running guest's agent",
    details:
      "Without --timeout there is no limit as long as an agent is connected. It holds until the guest ends. File systems are frozen, thawed and trimmed in at most 300 s.",
    operands: [DOMAIN_OPERAND],
    options: [
      { name: "timeout", summary: "seconds; -1 for the default of 5 s, -2 for no limit", value: "SECONDS" },
    ],
  },
  async run(call) {
    const seconds = parseInt32(call.options.get("timeout") ?? BLOCK, "timeout");
    await setResponseTimeout(call.instance, operand(call, "domain"), seconds);
    return undefined;
  },
};
