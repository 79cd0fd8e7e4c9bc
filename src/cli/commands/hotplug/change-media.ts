import { SvirtError } from "../../../errors.ts";
import { changeMedium } from "../../../vm/hotplug/change-devices.ts";
import { type MediumAction, putMedium } from "../../../vm/hotplug/medium.ts";
import { findNamedDisk } from "../../../vm/hotplug/named-disk.ts";
import { getSourceType } from "../../../vm/hotplug/source-type.ts";
import { onlyOne } from "../../arguments/exclusive.ts";
import { type Call, type Command, DOMAIN_OPERAND, operand } from "../../command.ts";
import { askOf, CHANGE_OPTIONS, printChanged } from "../../device-change.ts";

const DONE: Readonly<Record<MediumAction, string>> = {
  eject: "Successfully ejected media.",
  insert: "Successfully inserted media.",
  update: "Successfully updated media.",
};

/** `svirt change-media DOMAIN PATH [SOURCE]` */
export const command: Command = {
  spec: {
    name: "change-media",
    summary: "change the medium of a CD-ROM or floppy drive",
    details:
      "Without an option the drive gets SOURCE in place of its medium; without SOURCE the medium is ejected.",
    operands: [
      DOMAIN_OPERAND,
      { name: "path", summary: "the drive's target, or the path of its medium" },
      { name: "source", summary: "the new medium", isOptional: true },
    ],
    options: [
      { name: "eject", summary: "eject the medium" },
      { name: "insert", summary: "insert a medium into an empty drive" },
      { name: "update", summary: "replace the medium" },
      { name: "force", summary: "even if the guest has locked the tray" },
      { name: "block", summary: "the source is a block device" },
      ...CHANGE_OPTIONS,
    ],
  },
  async run(call) {
    const action = actionOf(call);
    const ask = askOf(call);
    const drive = findNamedDisk(call.instance, ask, { name: operand(call, "path"), isDrive: true });
    const source = action === "eject" ? undefined : call.operands.get("source");
    const type = (await isBlock(call, source)) ? "block" : "file";
    const changed = await changeMedium(call.instance, ask, {
      target: drive.target.dev,
      force: call.options.has("force"),
      change: (found) => putMedium(found, action, { type, path: source }),
    });
    printChanged(call, changed, DONE[action]);
    return undefined;
  },
};

function actionOf({ operands, options }: Call): MediumAction {
  const action = onlyOne({ options }, ["eject", "insert", "update"]) ?? "update";
  if (action === "insert" && !operands.has("source")) {
    throw new SvirtError("No disk source specified for inserting", {
      kind: "usage",
      remedy: "Name the medium after the drive: svirt change-media DOMAIN DRIVE SOURCE",
    });
  }
  return action;
}

async function isBlock({ instance, options }: Call, source: string | undefined): Promise<boolean> {
  if (options.has("block")) return true;
  return source !== undefined && (await getSourceType(instance, source)) === "block";
}
