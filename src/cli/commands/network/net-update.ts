import { SvirtError } from "../../../errors.ts";
import { UPDATE_COMMANDS, type UpdateCommand } from "../../../network/edits/lists.ts";
import { UPDATE_SECTIONS, type UpdateSection } from "../../../network/edits/update.ts";
import { networkUpdate, type UpdatedNetwork } from "../../../vm/network/update-network.ts";
import type { Change } from "../../../vm/object-change/change.ts";
import { onlyOne } from "../../arguments/exclusive.ts";
import { readInputFile } from "../../arguments/input-file.ts";
import { parseWhole } from "../../arguments/whole-number.ts";
import { type Call, NETWORK_OPERAND, operand } from "../../command.ts";
import { impactOf } from "../../device-change.ts";
import { oneLine } from "../../output/one-line.ts";
import { plannedCommand } from "../../planned-command.ts";

const MOST_PARENTS = 2 ** 31 - 1;

/** `svirt net-update NETWORK COMMAND SECTION XML` */
export const command = plannedCommand({
  spec: {
    name: "net-update",
    summary: "add, change or remove one entry of a network",
    details:
      "Commands: add-last (or add), add-first, modify, delete. Sections: ip-dhcp-host, ip-dhcp-range, forward-interface, portgroup,\n" +
      "dns-host, dns-txt, dns-srv. Guests that are started later use a changed active network; running guests stay as they are.",
    operands: [
      NETWORK_OPERAND,
      { name: "command", summary: "add-last, add-first, modify or delete" },
      { name: "section", summary: "section with the entry" },
      { name: "xml", summary: "the entry: XML that begins with <, a file, or - for standard input" },
    ],
    options: [
      { name: "parent-index", value: "number", summary: "number of the <ip> with the entry, from 0" },
      { name: "config", summary: "change the definition, for the next start" },
      { name: "live", summary: "change the active network" },
      {
        name: "current",
        summary: "change the network if it is active, else the definition; the default",
      },
    ],
  },
  change: changeOf,
  report(call, updated) {
    call.output.print(`Updated network ${oneLine(updated.name)} ${partsOf(updated)}\n`);
  },
});

function changeOf(call: Call): Change<UpdatedNetwork> {
  onlyOne(call, ["current", "live"]);
  onlyOne(call, ["current", "config"]);
  const update = {
    command: commandOf(operand(call, "command")),
    section: sectionOf(operand(call, "section")),
    entry: readEntry(call),
    parentIndex: parentOf(call),
  };
  return networkUpdate(operand(call, "network"), { options: impactOf(call), update });
}

function commandOf(name: string): UpdateCommand {
  const known = UPDATE_COMMANDS.find((one) => one === (name === "add" ? "add-last" : name));
  if (known !== undefined) return known;
  throw unrecognized("command", name, UPDATE_COMMANDS);
}

function sectionOf(name: string): UpdateSection {
  const known = UPDATE_SECTIONS.find((one) => one === name);
  if (known !== undefined) return known;
  throw unrecognized("section", name, UPDATE_SECTIONS);
}

/** cmdNetworkUpdate() of libvirt's tools/virsh-network.c */
function unrecognized(what: string, name: string, known: readonly string[]): SvirtError {
  return new SvirtError(`unrecognized ${what} name '${name}'`, {
    kind: "usage",
    remedy: `Write one of: ${known.join(", ")}.`,
  });
}

function readEntry(call: Call): Uint8Array {
  const xml = operand(call, "xml");
  return xml.startsWith("<") ? new TextEncoder().encode(xml) : readInputFile(call, xml);
}

function parentOf({ options }: Call): number | undefined {
  const text = options.get("parent-index");
  return text === undefined ? undefined : parseWhole(text, "parent-index", [0, MOST_PARENTS]);
}

function partsOf({ config, live }: UpdatedNetwork): string {
  if (config && live) return "persistent config and live state";
  return live ? "live state" : "persistent config";
}
