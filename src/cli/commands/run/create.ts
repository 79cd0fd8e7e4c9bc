import { startDomain } from "../../../vm/start/start.ts";
import { readInputFile } from "../../arguments/input-file.ts";
import { type Command, operand, VALIDATE_OPTION } from "../../command.ts";
import { CRASH_OPTION, crashDrill } from "../../crash-drill.ts";
import { oneLine } from "../../output/one-line.ts";
import { warnOfMode } from "../../output/warn-of-mode.ts";

/** `svirt create FILE` */
export const command: Command = {
  spec: {
    name: "create",
    summary: "start a domain from an XML file without defining it",
    operands: [{ name: "file", summary: "domain XML: a file, or - for standard input" }],
    options: [{ name: "paused", summary: "leave the guest paused" }, VALIDATE_OPTION, CRASH_OPTION],
  },
  async plan(call) {
    const { planDomain } = await import("../../../vm/plan/plan-domain.ts");
    return await planDomain(call.instance, { xml: readInputFile(call, operand(call, "file")) }, "start");
  },
  async run(call) {
    const file = operand(call, "file");
    const bytes = readInputFile(call, file);
    const { did, guest } = await startDomain(call.instance, bytes, {
      observer: crashDrill(call),
      isPaused: call.options.has("paused"),
    });
    warnOfMode(call, guest);
    call.output.print(
      `Domain '${guest.name}' ${did ? `created from ${oneLine(file)}` : "is already active"}\n\n`,
    );
    return undefined;
  },
};
