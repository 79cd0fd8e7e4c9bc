import { planDomainRevert, revertDomain } from "../../../vm/snapshot/revert-memory.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";
import { CRASH_OPTION, crashDrill } from "../../crash-drill.ts";
import { oneLine } from "../../output/one-line.ts";
import { CURRENT_OPTION, SNAPSHOT_OPERAND, snapshotOf } from "../../snapshot-options.ts";

/** `svirt snapshot-revert DOMAIN SNAPSHOT` */
export const command: Command = {
  spec: {
    name: "snapshot-revert",
    summary: "give a domain the disks, the definition and the memory of a snapshot",
    details:
      "Each disk gets a new overlay on its image in the snapshot, so the snapshot stays as it is. The former images of the domain are\n" +
      "named and stay. The domain must be off, but for a snapshot with memory: a running guest is destroyed, and continues where it was,\n" +
      "running or paused. If its state cannot be loaded, the domain is off, with its former images. Snapshots inside an image are refused.",
    operands: [DOMAIN_OPERAND, SNAPSHOT_OPERAND],
    options: [
      CURRENT_OPTION,
      { name: "running", summary: "start the domain afterwards, or resume a paused domain" },
      { name: "force", summary: "also revert a domain with a saved state" },
      CRASH_OPTION,
    ],
  },
  async plan(call) {
    const { instance, options } = call;
    const domain = operand(call, "domain");
    const { name } = snapshotOf(call).snapshot;
    const runs = options.has("running");
    return await planDomainRevert(instance, domain, { name, isForced: options.has("force"), runs });
  },
  async run(call) {
    const { instance, options, output } = call;
    const domain = operand(call, "domain");
    const { name } = snapshotOf(call).snapshot;
    await revertDomain(instance, domain, {
      name,
      isForced: options.has("force"),
      runs: options.has("running"),
      observer: crashDrill(call),
      onLeft: (path) => output.warn(`warning: ${oneLine(path)} stays: the domain no longer has it\n`),
    });
    output.print(`Domain snapshot ${oneLine(name)} reverted\n\n`);
    return undefined;
  },
};
