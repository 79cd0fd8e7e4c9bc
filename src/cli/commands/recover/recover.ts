import { findStaleLabels } from "../../../vm/audit/stale-labels.ts";
import { startAutostarted } from "../../../vm/recover/autostart.ts";
import { recoverAll } from "../../../vm/recover/recover.ts";
import { type Command, JSON_OPTION, printJson } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";
import { PARTLY } from "../../output/report-each.ts";
import { warnOf } from "../../output/warn-of.ts";

/** `svirt recover` */
export const command: Command = {
  spec: {
    name: "recover",
    summary: "complete or undo the changes that a crash or a reboot interrupted",
    details:
      "Called at boot. Every other command also cleans up after guests that have ended, and completes the changes of its own\n" +
      "guest (svirt list: of all guests), if QEMU answers within 2 s. recover does so for all guests, without a time limit.",
    recovery: "none",
    operands: [],
    options: [
      { name: "autostart", summary: "then start the domains that svirt autostart marked" },
      JSON_OPTION,
    ],
  },
  async run(call) {
    const { errors, kept, recovered } = await recoverAll(call.instance);
    const started = call.options.has("autostart")
      ? await startAutostarted(call.instance)
      : { names: [], errors: [] };
    const failed = [...errors, ...started.errors];
    warnOf(call, "error", failed);
    for (const notice of kept) call.output.warn(`warning: ${oneLine(notice)}\n`);
    // The original labels of these files are not recorded: an administrator decides.
    for (const stale of findStaleLabels(call.instance)) call.output.warn(`warning: ${oneLine(stale)}\n`);
    if (call.options.has("json")) {
      printJson(call, {
        recovered,
        started: started.names,
        kept,
        errors: failed.map((error) => error.message),
      });
    } else {
      for (const name of recovered) call.output.print(`Domain '${name}' recovered\n`);
      for (const name of started.names) call.output.print(`Domain '${name}' started\n`);
    }
    return failed.length === 0 ? undefined : PARTLY;
  },
};
