import { formatSteps } from "../../plan/describe.ts";
import { planStop } from "../../plan/inverse.ts";
import type { Step } from "../../plan/step.ts";
import { allSteps } from "../../vm/clear-away.ts";
import { findDomain } from "../../vm/find-domain.ts";
import { findManagedState } from "../../vm/saving/restore-domain.ts";
import { planDomainStart } from "../../vm/start.ts";
import { MOST_BYTES } from "../../xml/limits.ts";
import { type Call, type Command, JSON_OPTION, operand, printJson } from "../command.ts";
import { sweepFirst } from "../sweep-first.ts";

/** `svirt plan DOMAIN` */
export const command: Command = {
  spec: {
    name: "plan",
    summary: "print every step that a start would take, with labels before and after, and change nothing",
    operands: [
      { name: "domain", summary: "name, id or uuid of a domain; or a file, if it has a / in it; or -" },
    ],
    options: [{ name: "stop", summary: "the steps of its end instead" }, JSON_OPTION],
  },
  async run(call) {
    await sweepFirst(call);
    const steps = await planSteps(call);
    if (call.options.has("json")) printJson(call, steps);
    else call.output.print(formatSteps(steps));
    return undefined;
  },
};

/** Of the end of a guest that runs the steps are known; any other has yet to be decided. */
async function planSteps(call: Call): Promise<readonly Step[]> {
  const key = operand(call, "domain");
  const isXml = key === "-" || key.includes("/");
  const found = isXml ? undefined : findDomain(call.node, key);
  const isStop = call.options.has("stop");
  if (isStop && found?.guest !== undefined) return planStop(allSteps(found.guest));
  const bytes =
    found === undefined
      ? call.node.host.readInput(key, MOST_BYTES)
      : new TextEncoder().encode(found.definition?.xml ?? found.guest?.xml ?? "");
  const saved =
    found?.guest === undefined && found !== undefined ? findManagedState(call.node, found) : undefined;
  const start = await planDomainStart(call.node, saved?.bytes ?? bytes, saved?.incoming);
  return isStop ? planStop(start) : start;
}
