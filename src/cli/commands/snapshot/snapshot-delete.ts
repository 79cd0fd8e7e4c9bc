import { deleteSnapshot } from "../../../vm/snapshot/delete-snapshot.ts";
import { onlyOne } from "../../arguments/exclusive.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";
import { CURRENT_OPTION, SNAPSHOT_OPERAND, snapshotOf } from "../../snapshot-options.ts";

/** Deleted snapshots by virsh's options. */
const WHICH = { one: "one", children: "tree", "children-only": "children" } as const;

/** `svirt snapshot-delete DOMAIN SNAPSHOT --metadata` */
export const command: Command = {
  spec: {
    name: "snapshot-delete",
    summary: "remove the data that svirt stores of a snapshot; its images stay",
    details:
      "The parent of the snapshot becomes that of its children, and current in its place. svirt blockcommit and blockpull merge images of\n" +
      "a running guest; those that no domain and no snapshot names can be removed with svirt vol-delete.",
    operands: [DOMAIN_OPERAND, SNAPSHOT_OPERAND],
    options: [
      CURRENT_OPTION,
      { name: "children", summary: "also remove all snapshots below it" },
      { name: "children-only", summary: "remove all snapshots below it, and not the snapshot" },
      { name: "metadata", summary: "remove only the data, and keep the images; the only way" },
    ],
  },
  async run(call) {
    const asked = onlyOne(call, ["children", "children-only"]);
    const { name } = snapshotOf(call).snapshot;
    await deleteSnapshot(call.instance, operand(call, "domain"), {
      name,
      which: WHICH[asked ?? "one"],
      isMetadataOnly: call.options.has("metadata"),
    });
    const what = asked === "children-only" ? "children deleted" : "deleted";
    call.output.print(`Domain snapshot ${oneLine(name)} ${what}\n\n`);
    return undefined;
  },
};
