import { describe } from "../../plan/describe.ts";
import { planStop } from "../../plan/step.ts";
import { findDomain } from "../../vm/find-domain.ts";
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
    const start = await planDomainStart(call.node, readDomain(call));
    const steps = call.options.has("stop") ? planStop(start) : start;
    if (call.options.has("json")) printJson(call, steps);
    else
      call.output.print(
        `${steps.map((step, at) => `${String(at + 1).padStart(3)}  ${describe(step)}`).join("\n")}\n`,
      );
    return undefined;
  },
};

function readDomain(call: Call): Uint8Array {
  const key = operand(call, "domain");
  if (key === "-" || key.includes("/")) return call.node.host.readInput(key, MOST_BYTES);
  const { definition, guest } = findDomain(call.node, key);
  return new TextEncoder().encode(definition?.xml ?? guest?.xml ?? "");
}
