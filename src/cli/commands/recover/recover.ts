import { findStaleLabels } from "../../../vm/audit/stale-labels.ts";
import { setLostRules } from "../../../vm/lost-rules/restore-rules.ts";
import { NOTHING_STARTED, startInBootOrder } from "../../../vm/recover/node-boot-order.ts";
import { recoverAll } from "../../../vm/recover/recover.ts";
import { type Command, JSON_OPTION, printJson } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";
import { PARTLY } from "../../output/report-each.ts";
import { warnOf } from "../../output/warn-of.ts";

/** `svirt recover` */
export const command: Command = {
  spec: {
    name: "recover",
    summary: "complete or undo the changes interrupted by a crash or a reboot",
    details:
      "Called at boot. Every other command also cleans up after ended guests, and completes the changes of its own\n" +
      "guest (svirt list: of all guests), if QEMU answers within 2 s. recover does so for all guests, without a time limit.\n" +
      "It also sets the packet rules of running guests and networks again, after nft flush ruleset.",
    recovery: "none",
    operands: [],
    options: [
      {
        name: "autostart",
        summary: "then start the networks, storage pools and domains marked to start at boot",
      },
      JSON_OPTION,
    ],
  },
  async run(call) {
    const { errors, kept, recovered, settled } = await recoverAll(call.instance);
    const rules = await setLostRules(call.instance);
    const { domains, networks, pools } = call.options.has("autostart")
      ? await startInBootOrder(call.instance)
      : NOTHING_STARTED;
    const failed = [...errors, ...rules.errors, ...networks.errors, ...pools.errors, ...domains.errors];
    warnOf(call, "error", failed);
    for (const notice of kept) call.output.warn(`warning: ${oneLine(notice)}\n`);
    // The original labels of these files are not recorded: an administrator decides.
    for (const stale of await findStaleLabels(call.instance))
      call.output.warn(`warning: ${oneLine(stale)}\n`);
    if (call.options.has("json")) {
      printJson(call, {
        recovered,
        changes: settled,
        rules: rules.names,
        started: domains.names,
        networks: networks.names,
        pools: pools.names,
        kept,
        errors: failed.map((error) => error.message),
      });
    } else {
      for (const line of [
        ...settled.map((what) => `Interrupted ${oneLine(what)} undone or finished`),
        ...recovered.map((name) => `Domain '${name}' recovered`),
        ...rules.names.map((name) => `Packet rules of ${oneLine(name)} set again`),
        ...networks.names.map((name) => `Network ${oneLine(name)} started`),
        ...pools.names.map((name) => `Pool ${oneLine(name)} started`),
        ...domains.names.map((name) => `Domain '${name}' started`),
      ])
        call.output.print(`${line}\n`);
    }
    return failed.length === 0 ? undefined : PARTLY;
  },
};
