import { domainRemoval, type Leavings } from "../../../vm/define/undefine.ts";
import { carryOut, planOnly } from "../../../vm/object-change/carry-out.ts";
import type { Change } from "../../../vm/object-change/change.ts";
import { onlyOne } from "../../arguments/exclusive.ts";
import { type Call, type Command, DOMAIN_OPERAND, operand } from "../../command.ts";
import { CRASH_OPTION, crashDrill } from "../../crash-drill.ts";
import { removeStorage, STORAGE_OPTIONS, storageOf } from "../../remove-storage.ts";

/** `svirt undefine DOMAIN` */
export const command: Command = {
  spec: {
    name: "undefine",
    summary: "remove a domain's definition; a running guest keeps running",
    details:
      "The volumes of disks are deleted after the definition, as by vol-delete: a volume needed by another domain or volume stays, and the exit code is then 7, " +
      "as for a disk of --storage that is no volume. They are listed on standard error before anything changes: if the command is killed, no later command deletes the rest, " +
      "and vol-delete removes what vol-list still shows.",
    operands: [DOMAIN_OPERAND],
    options: [
      { name: "managed-save", summary: "also remove the state saved by svirt managedsave" },
      { name: "snapshots-metadata", summary: "also remove the data of its snapshots; their images stay" },
      { name: "checkpoints-metadata", summary: "no effect: svirt has no checkpoints" },
      { name: "nvram", summary: "also remove its UEFI variables" },
      { name: "keep-nvram", summary: "keep its UEFI variables" },
      { name: "tpm", summary: "also remove the state of its TPM if the TPM is persistent" },
      { name: "keep-tpm", summary: "keep the state of its TPM, persistent or not" },
      ...STORAGE_OPTIONS,
      CRASH_OPTION,
    ],
  },
  plan: async (call) => await planOnly(call.instance, changeOf(call, undefined)),
  async run(call) {
    const storage = await storageOf(call);
    const { name } = await carryOut(call.instance, changeOf(call, storage.definition), crashDrill(call));
    call.output.print(`Domain '${name}' has been undefined\n\n`);
    return await removeStorage(call, storage);
  },
};

/** Returns the change that removes the definition. removeStorage() removes volumes afterwards. */
function changeOf(call: Call, seen: Leavings["seen"]): Change<{ readonly name: string }> {
  return domainRemoval(operand(call, "domain"), {
    managedSave: call.options.has("managed-save"),
    snapshots: call.options.has("snapshots-metadata"),
    nvram: treatmentOf(call, "nvram"),
    tpm: treatmentOf(call, "tpm"),
    seen,
  });
}

function treatmentOf(call: Call, part: "nvram" | "tpm"): "remove" | "keep" | undefined {
  const asked = onlyOne(call, [part, `keep-${part}`]);
  if (asked === undefined) return undefined;
  return asked === part ? "remove" : "keep";
}
