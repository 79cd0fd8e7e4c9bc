import { SvirtError } from "../../../errors.ts";
import { findDomain } from "../../../vm/guest/find-domain.ts";
import { startDefined } from "../../../vm/save/restore-domain.ts";
import { type Command, DOMAIN_OPERAND, JSON_OPTION, operand, printJson } from "../../command.ts";
import { CRASH_OPTION, crashDrill } from "../../crash-drill.ts";
import { warnOfMode } from "../../output/warn-of-mode.ts";

/** `svirt start DOMAIN` */
export const command: Command = {
  spec: {
    name: "start",
    summary: "start a defined domain, confined",
    details: [
      "A running domain does not change. svirt plan DOMAIN prints the steps of a start.",
      "A domain that svirt managedsave saved resumes from its saved state.",
    ].join("\n"),
    operands: [DOMAIN_OPERAND],
    options: [
      { name: "force-boot", summary: "discard the state that svirt managedsave saved, and boot" },
      JSON_OPTION,
      CRASH_OPTION,
    ],
  },
  async run(call) {
    const found = findDomain(call.instance, operand(call, "domain"));
    const xml = found.definition?.xml ?? found.guest?.xml;
    if (xml === undefined)
      throw new SvirtError(`failed to get domain '${found.name}'`, {
        kind: "not-found",
        libvirt: "NO_DOMAIN",
        remedy: "svirt list --all shows the domains there are.",
      });
    const how = { forceBoot: call.options.has("force-boot"), observer: crashDrill(call) };
    const started = await startDefined(call.instance, { ...found, xml }, how);
    warnOfMode(call, started.guest);
    if (call.options.has("json")) {
      const { id, label, name, uuid } = started.guest;
      printJson(call, { name, uuid, id, label: label.label, started: started.did });
    } else {
      call.output.print(`Domain '${found.name}' ${started.did ? "started" : "is already active"}\n\n`);
    }
    return undefined;
  },
};
