import { asSvirtError } from "../../../errors.ts";
import { isAutostarted, listDefinitionNames } from "../../../state/definitions.ts";
import { findStaleLabels } from "../../../vm/audit/stale-labels.ts";
import { findDomain } from "../../../vm/guest/find-domain.ts";
import { sweep } from "../../../vm/recover/recover.ts";
import { startDefined } from "../../../vm/save/restore-domain.ts";
import { type Call, type Command, JSON_OPTION, printJson } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";
import { PARTLY } from "../../output/report-each.ts";
import { warnOf } from "../../output/warn-of.ts";

/** `svirt recover` */
export const command: Command = {
  spec: {
    name: "recover",
    summary: "finish or undo whatever a crash or a reboot has left",
    details:
      "Called at boot. Any other command clears away guests that have ended, and finishes the changes of the guest that it\n" +
      "is about (svirt list those of all) as far as QEMUs answer within 2 s; this one those of all guests, however long it takes.",
    recovery: "none",
    operands: [],
    options: [{ name: "autostart", summary: "then start the domains that are marked for it" }, JSON_OPTION],
  },
  async run(call) {
    const { errors, kept, settled } = await sweep(call.node);
    const started = call.options.has("autostart") ? await autostart(call) : { names: [], errors: [] };
    const failed = [...errors, ...started.errors];
    warnOf(call, "error", failed);
    for (const notice of kept) call.output.warn(`warning: ${oneLine(notice)}\n`);
    // The original labels of these files are not recorded: an administrator decides.
    for (const stale of findStaleLabels(call.node)) call.output.warn(`warning: ${oneLine(stale)}\n`);
    if (call.options.has("json")) {
      printJson(call, {
        recovered: settled,
        started: started.names,
        kept,
        errors: failed.map((error) => error.message),
      });
    } else {
      for (const name of settled) call.output.print(`Domain '${name}' recovered\n`);
      for (const name of started.names) call.output.print(`Domain '${name}' started\n`);
    }
    return failed.length === 0 ? undefined : PARTLY;
  },
};

async function autostart(call: Call) {
  const names: string[] = [];
  const errors: ReturnType<typeof asSvirtError>[] = [];
  for (const name of listDefinitionNames(call.node).filter((each) => isAutostarted(call.node, each))) {
    try {
      const found = findDomain(call.node, name);
      const xml = found.definition?.xml ?? "";
      const { did } = await startDefined(call.node, { ...found, xml }, { forceBoot: false });
      if (did) names.push(name);
    } catch (error) {
      errors.push(asSvirtError(error));
    }
  }
  return { names, errors };
}
