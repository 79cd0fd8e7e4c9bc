import { planDomainRevert, revertDomain } from "../../../vm/snapshot/revert-memory.ts";
import { type Call, type Command, DOMAIN_OPERAND, operand } from "../../command.ts";
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
    return await planDomainRevert(call.instance, operand(call, "domain"), askedOf(call));
  },
  async run(call) {
    const { instance, output } = call;
    const asked = askedOf(call);
    await revertDomain(instance, operand(call, "domain"), {
      ...asked,
      observer: crashDrill(call),
      onLeft: (path) => output.warn(`warning: ${oneLine(path)} stays: the domain no longer has it\n`),
    });
    output.print(`Domain snapshot ${oneLine(asked.name)} reverted\n\n`);
    return undefined;
  },
};

function askedOf(call: Call): Parameters<typeof planDomainRevert>[2] {
  const { name } = snapshotOf(call).snapshot;
  return { name, isForced: call.options.has("force"), runs: call.options.has("running") };
}
