import { SvirtError } from "../../errors.ts";
import { findDomain } from "../../vm/find-domain.ts";
import { startDomain } from "../../vm/start.ts";
import { type Command, DOMAIN_OPERAND, JSON_OPTION, operand, printJson } from "../command.ts";
import { CRASH_OPTION, crashDrill } from "../crash-drill.ts";
import { sweepFirst } from "../sweep-first.ts";
import { warnOfMode } from "../warn-of-mode.ts";

/** `svirt start DOMAIN` */
export const command: Command = {
  spec: {
    name: "start",
    summary: "start a defined domain, confined",
    details: "A domain that runs already is left as it is. See what would be done first: svirt plan DOMAIN",
    operands: [DOMAIN_OPERAND],
    options: [JSON_OPTION, CRASH_OPTION],
  },
  async run(call) {
    await sweepFirst(call);
    const found = findDomain(call.node, operand(call, "domain"));
    const xml = found.definition?.xml ?? found.guest?.xml;
    if (xml === undefined)
      throw new SvirtError(`failed to get domain '${found.name}'`, { kind: "not-found" });
    const started = await startDomain(call.node, new TextEncoder().encode(xml), crashDrill(call));
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
