import { formatSteps } from "../../../plan/steps/describe.ts";
import { type PlanSubject, planDomain } from "../../../vm/plan/plan-domain.ts";
import { readInputFile } from "../../arguments/input-file.ts";
import { type Call, type Command, JSON_OPTION, operand, printJson } from "../../command.ts";

/** `svirt plan DOMAIN` */
export const command: Command = {
  spec: {
    name: "plan",
    summary: "print all steps of a start, with labels before and after, and change nothing",
    details:
      "A running domain has no steps, since a start does not change it. --stop prints the steps of its end.",
    operands: [
      { name: "domain", summary: "name, id or uuid of a domain; a path with a /; or - for standard input" },
    ],
    options: [{ name: "stop", summary: "print the steps of its end instead" }, JSON_OPTION],
  },
  async run(call) {
    const what = call.options.has("stop") ? "end" : "start";
    const { runningName, steps } = await planDomain(call.instance, subjectOf(call), what);
    if (call.options.has("json")) printJson(call, steps);
    else if (runningName !== undefined && steps.length === 0)
      call.output.print(`Domain '${runningName}' is already active\n\n`);
    else call.output.print(formatSteps(steps));
    return undefined;
  },
};

function subjectOf(call: Call): PlanSubject {
  const key = operand(call, "domain");
  return key === "-" || key.includes("/") ? { xml: readInputFile(call, key) } : { key };
}
