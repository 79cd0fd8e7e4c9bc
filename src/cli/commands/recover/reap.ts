import { uuidOf } from "../../../domain/forms/uuid.ts";
import { SvirtError } from "../../../errors.ts";
import { planReaping, recoverGuest } from "../../../vm/recover/recover.ts";
import { type Command, operand } from "../../command.ts";

/** `svirt reap UUID` */
export const command: Command = {
  spec: {
    name: "reap",
    summary: "clean up after an ended guest (called by its reaper)",
    details:
      "Restores its labels, frees its level, and starts it again if on_poweroff, on_crash or a reboot requires it.\n" +
      "svirt plan reap prints the steps of the end, and svirt plan DOMAIN then those of the start.",
    recovery: "none",
    operands: [{ name: "uuid", summary: "uuid of the guest" }],
    options: [],
  },
  plan: async ({ instance, operands }) => ({
    steps: planReaping(instance, readUuid(operands.get("uuid") ?? "")),
  }),
  async run(call) {
    await recoverGuest(call.instance, readUuid(operand(call, "uuid")));
    return undefined;
  },
};

/** Parses the UUID, a part of paths. Throws "usage". */
function readUuid(text: string): string {
  const uuid = uuidOf(text);
  if (uuid !== undefined) return uuid;
  throw new SvirtError(`Cannot reap '${text}': it is not a UUID`, {
    kind: "usage",
    remedy: "Clean up after ended guests: svirt recover",
  });
}
