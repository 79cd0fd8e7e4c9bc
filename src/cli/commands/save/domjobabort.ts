import { abortDomainJob } from "../../../vm/save/domain-job.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";

/** `svirt domjobabort DOMAIN` */
export const command: Command = {
  spec: {
    name: "domjobabort",
    summary: "abort a save or dump of a guest, whichever process carries it out",
    details: "The guest runs on. It returns at once; the aborted process fails.",
    operands: [DOMAIN_OPERAND],
    options: [],
    recovery: "none",
  },
  async run(call) {
    abortDomainJob(call.instance, operand(call, "domain"));
    call.output.print("\n");
    return undefined;
  },
};
