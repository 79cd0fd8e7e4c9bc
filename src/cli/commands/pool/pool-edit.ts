import { editPool } from "../../../vm/pool/define-pool.ts";
import { POOL_OPERAND } from "../../command.ts";
import { editingCommand } from "../../editing-command.ts";
import { oneLine } from "../../output/one-line.ts";

/** `svirt pool-edit POOL` */
export const command = editingCommand({
  spec: {
    name: "pool-edit",
    summary: "change a storage pool's definition with an editor",
    details:
      "The editor and the new text are treated as by edit: the text is checked as by pool-define, and a refused text is kept.",
    recovery: "none",
  },
  object: POOL_OPERAND,
  edit: editPool,
  format: ({ isChanged, name }) =>
    `Pool ${oneLine(name)} XML configuration ${isChanged ? "edited" : "not changed"}.`,
});
