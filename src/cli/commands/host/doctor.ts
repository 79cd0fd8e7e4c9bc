import { examineHost } from "../../../vm/host/description.ts";
import { type Command, JSON_OPTION, printJson } from "../../command.ts";

const FAILED = 1;
const CHECK_WIDTH = 22;
const VERDICT_WIDTH = 8;

/** `svirt doctor` */
export const command: Command = {
  spec: {
    name: "doctor",
    summary: "check whether this node can run confined guests, and print remedies",
    details: "The exit code is 1 if a requirement of guests is missing.",
    recovery: "root",
    operands: [],
    options: [JSON_OPTION],
  },
  async run(call) {
    const findings = await examineHost(call.instance);
    if (call.options.has("json")) {
      printJson(call, findings);
    } else {
      for (const { check, is, remedy, verdict } of findings) {
        call.output.print(`${verdict.padEnd(VERDICT_WIDTH)}${check.padEnd(CHECK_WIDTH)} ${is}\n`);
        if (remedy !== undefined) call.output.print(`${" ".repeat(VERDICT_WIDTH)}remedy: ${remedy}\n`);
      }
    }
    return findings.some(({ verdict }) => verdict === "failed") ? FAILED : undefined;
  },
};
