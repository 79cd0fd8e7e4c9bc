import { startNamed } from "../../../vm/save/restore-domain.ts";
import { revertToSnapshot } from "../../../vm/snapshot/revert-snapshot.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";
import { CRASH_OPTION, crashDrill } from "../../crash-drill.ts";
import { oneLine } from "../../output/one-line.ts";
import { CURRENT_OPTION, SNAPSHOT_OPERAND, snapshotOf } from "../../snapshot-options.ts";

/** `svirt snapshot-revert DOMAIN SNAPSHOT` */
export const command: Command = {
  spec: {
    name: "snapshot-revert",
    summary: "give a domain that is off the disks and the definition of a snapshot",
    details:
      "Each disk gets a new overlay on its image of that time, so that the snapshot stays as it is. The images that the domain had are\n" +
      "named and stay. Snapshots with memory or inside an image are refused.",
    operands: [DOMAIN_OPERAND, SNAPSHOT_OPERAND],
    options: [
      CURRENT_OPTION,
      { name: "running", summary: "start the domain afterwards" },
      { name: "force", summary: "also revert a domain with a saved state" },
      CRASH_OPTION,
    ],
  },
  async run(call) {
    const { instance, options, output } = call;
    const domain = operand(call, "domain");
    const { name } = snapshotOf(call).snapshot;
    const isForced = options.has("force");
    const { left } = await revertToSnapshot(instance, domain, { name, isForced });
    for (const path of left) output.warn(`warning: ${oneLine(path)} stays: the domain no longer has it\n`);
    if (options.has("running"))
      await startNamed(instance, domain, { forceBoot: isForced, observer: crashDrill(call) });
    output.print(`Domain snapshot ${oneLine(name)} reverted\n\n`);
    return undefined;
  },
};
