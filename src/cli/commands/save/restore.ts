import { restoreDomain } from "../../../vm/save/restore-domain.ts";
import { MOST_BYTES } from "../../../xml/limits.ts";
import { WAKING_OPTIONS, wakesOf } from "../../arguments/exclusive.ts";
import { type Command, operand } from "../../command.ts";
import { CRASH_OPTION, crashDrill } from "../../crash-drill.ts";
import { warnOfMode } from "../../output/warn-of-mode.ts";

/** `svirt restore FILE` */
export const command: Command = {
  spec: {
    name: "restore",
    summary: "start a guest with the state that svirt save has written",
    details: [
      "It is labelled as at any start. The file stays, with the label that it has: svirt reads it and hands QEMU a pipe.",
      "Once the guest has run, its disks are ahead of the file: restore it from there only once.",
    ].join("\n"),
    operands: [{ name: "file", summary: "a file that svirt save, or virsh save, has written" }],
    options: [
      { name: "xml", value: "file", summary: "another definition of the same domain: other paths" },
      ...WAKING_OPTIONS,
      CRASH_OPTION,
    ],
  },
  async run(call) {
    const path = operand(call, "file");
    const other = call.options.get("xml");
    const xml = other === undefined ? undefined : call.node.host.readInput(other, MOST_BYTES);
    const wish = { wakes: wakesOf(call), xml, watch: crashDrill(call) };
    const { guest } = await restoreDomain(call.node, path, wish);
    warnOfMode(call, guest);
    call.output.print(`Domain restored from ${path}\n\n`);
    return undefined;
  },
};
