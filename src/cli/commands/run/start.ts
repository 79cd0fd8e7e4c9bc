import { type HowToBegin, startNamed } from "../../../vm/save/restore-domain.ts";
import { type Call, type Command, DOMAIN_OPERAND, JSON_OPTION, operand, printJson } from "../../command.ts";
import { CRASH_OPTION, crashDrill } from "../../crash-drill.ts";
import { warnOfMode } from "../../output/warn-of-mode.ts";

/** `svirt start DOMAIN` */
export const command: Command = {
  spec: {
    name: "start",
    summary: "start a defined domain, confined",
    details: [
      "A running domain does not change. svirt plan DOMAIN prints the steps of a start.",
      "A domain saved by svirt managedsave resumes from its saved state.",
    ].join("\n"),
    operands: [DOMAIN_OPERAND],
    options: [
      { name: "paused", summary: "leave the guest paused" },
      { name: "force-boot", summary: "discard the state saved by svirt managedsave, and boot" },
      JSON_OPTION,
      CRASH_OPTION,
    ],
  },
  async plan(call) {
    const { planDomain } = await import("../../../vm/plan/plan-domain.ts");
    return await planDomain(call.instance, { key: operand(call, "domain") }, howToBegin(call));
  },
  async run(call) {
    const how = { ...howToBegin(call), observer: crashDrill(call) };
    const { did, guest } = await startNamed(call.instance, operand(call, "domain"), how);
    warnOfMode(call, guest);
    const { id, label, name, uuid } = guest;
    if (call.options.has("json")) printJson(call, { name, uuid, id, label: label.label, started: did });
    else call.output.print(`Domain '${name}' ${did ? "started" : "is already active"}\n\n`);
    return undefined;
  },
};

function howToBegin({ options }: Call): HowToBegin {
  return { forceBoot: options.has("force-boot"), isPaused: options.has("paused") };
}
