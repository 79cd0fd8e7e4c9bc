import { selectNetworks } from "../../../vm/network/network-list.ts";
import type { ListedXml } from "../../../vm/stored/select-stored.ts";
import { onlyOne } from "../../arguments/exclusive.ts";
import { filterOf, filterOptions } from "../../arguments/stored-filter.ts";
import { type Command, JSON_OPTION, printJson } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";
import { formatTable } from "../../output/table.ts";
import { warnOf } from "../../output/warn-of.ts";
import { yesNo } from "../../output/yes-no.ts";

/** `svirt net-list` */
export const command: Command = {
  spec: {
    name: "net-list",
    summary: "list the active networks",
    recovery: "none",
    operands: [],
    options: [
      ...filterOptions("networks"),
      { name: "uuid", summary: "uuids only, a line each" },
      { name: "name", summary: "names only, a line each" },
      { name: "table", summary: "the table, as without --uuid and --name" },
      JSON_OPTION,
    ],
  },
  run(call) {
    const form = onlyOne(call, ["table", "name", "uuid"]);
    const wantsUuids = form === "uuid" || call.options.has("json");
    const networks = selectNetworks(call.instance, filterOf(call), {
      wantsUuids,
      onDamaged: (error) => warnOf(call, "warning", [error]),
    });
    if (call.options.has("json")) printJson(call, networks.map(toJson));
    else if (form === "uuid") call.output.print(networks.map(({ uuid = "-" }) => `${uuid}\n`).join(""));
    else if (form === "name") call.output.print(networks.map(({ name }) => `${oneLine(name)}\n`).join(""));
    else call.output.print(formatTable(["Name", "State", "Autostart", "Persistent"], networks.map(toRow)));
    return Promise.resolve(undefined);
  },
};

function toRow({ isActive, isAutostarted, isPersistent, name }: ListedXml): readonly string[] {
  return [oneLine(name), isActive ? "active" : "inactive", yesNo(isAutostarted), yesNo(isPersistent)];
}

function toJson({ isActive, isAutostarted, isPersistent, name, uuid }: ListedXml) {
  const state = isActive ? "active" : "inactive";
  return { name, uuid, state, autostart: isAutostarted, persistent: isPersistent };
}
