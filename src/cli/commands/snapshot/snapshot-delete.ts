import { planOnly } from "../../../vm/object-change/carry-out.ts";
import { dataDeletion, deleteSnapshot } from "../../../vm/snapshot/delete-snapshot.ts";
import { onlyOne } from "../../arguments/exclusive.ts";
import { type Call, type Command, DOMAIN_OPERAND, operand } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";
import { CURRENT_OPTION, SNAPSHOT_OPERAND, snapshotOf } from "../../snapshot-options.ts";

/** Deleted snapshots by virsh's options. */
const WHICH = { one: "one", children: "tree", "children-only": "children" } as const;

/** `svirt snapshot-delete DOMAIN SNAPSHOT` */
export const command: Command = {
  spec: {
    name: "snapshot-delete",
    summary: "delete a snapshot: merge its overlays into the images below, and remove its data",
    details:
      "The parent of the snapshot becomes the parent of its children, and current in its place. QEMU merges the overlays; for a domain that is off\n" +
      "svirt starts the guest, paused, and ends it. Overlays no longer needed are removed, and the file with the guest's memory.\n" +
      "If QEMU fails, the snapshot can be deleted again, and not be reverted to. With --metadata images and memory stay; images that no domain\n" +
      "and no snapshot names can be removed with svirt vol-delete.",
    operands: [DOMAIN_OPERAND, SNAPSHOT_OPERAND],
    options: [
      CURRENT_OPTION,
      { name: "children", summary: "with --metadata: also remove all snapshots below it" },
      {
        name: "children-only",
        summary: "with --metadata: remove all snapshots below it, and not the snapshot",
      },
      { name: "metadata", summary: "remove only the data, and keep the images" },
    ],
  },
  async plan(call) {
    const domain = operand(call, "domain");
    const { name } = snapshotOf(call).snapshot;
    const asked = { name, which: whichOf(call) };
    if (call.options.has("metadata")) return await planOnly(call.instance, dataDeletion(domain, asked));
    const { planDeletion } = await import("../../../vm/snapshot/plan-deletion.ts");
    return await planDeletion(call.instance, domain, asked);
  },
  async run(call) {
    const which = whichOf(call);
    const { name } = snapshotOf(call).snapshot;
    const left = await deleteSnapshot(call.instance, operand(call, "domain"), {
      name,
      which,
      isMetadataOnly: call.options.has("metadata"),
    });
    for (const notice of left) call.output.warn(`warning: ${oneLine(notice)}\n`);
    const what = which === "children" ? "children deleted" : "deleted";
    call.output.print(`Domain snapshot ${oneLine(name)} ${what}\n\n`);
    return undefined;
  },
};

function whichOf(call: Call): (typeof WHICH)[keyof typeof WHICH] {
  return WHICH[onlyOne(call, ["children", "children-only"]) ?? "one"];
}
