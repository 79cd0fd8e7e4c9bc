import { addUsage, type DetailedPool, selectPools } from "../../../vm/pool/pool-list.ts";
import type { ListedXml } from "../../../vm/stored/select-stored.ts";
import { onlyOne } from "../../arguments/exclusive.ts";
import { parsePoolTypes } from "../../arguments/pool-types.ts";
import { filterOf, filterOptions } from "../../arguments/stored-filter.ts";
import { type Command, JSON_OPTION, printJson } from "../../command.ts";
import { formatCapacity } from "../../output/format-capacity.ts";
import { oneLine } from "../../output/one-line.ts";
import { formatTable } from "../../output/table.ts";
import { warnOf } from "../../output/warn-of.ts";
import { yesNo } from "../../output/yes-no.ts";

/** Decimals of a size in virsh's list. */
const DECIMALS = 2;
const DETAILS = ["Name", "State", "Autostart", "Persistent", "Capacity", "Allocation", "Available"];

/** `svirt pool-list` */
export const command: Command = {
  spec: {
    name: "pool-list",
    summary: "list the active storage pools",
    recovery: "none",
    operands: [],
    options: [
      ...filterOptions("pools"),
      { name: "type", summary: "only pools of these types, separated by commas", value: "TYPES" },
      { name: "details", summary: "also the space of each pool" },
      { name: "uuid", summary: "uuids only, a line each" },
      { name: "name", summary: "names only, a line each; with --uuid after the uuid" },
      JSON_OPTION,
    ],
  },
  async run(call) {
    onlyOne(call, ["all", "inactive"]);
    onlyOne(call, ["details", "uuid"]);
    onlyOne(call, ["details", "name"]);
    const [wantsUuid, wantsName] = [call.options.has("uuid"), call.options.has("name")];
    const pools = selectPools(call.instance, {
      filter: filterOf(call),
      wantsUuids: wantsUuid || call.options.has("json"),
      onDamaged: (error) => warnOf(call, "warning", [error]),
      types: parsePoolTypes(call.options.get("type")),
    });
    if (call.options.has("json")) printJson(call, (await addUsage(call.instance, pools)).map(toJson));
    else if (wantsUuid || wantsName) {
      const cells = ({ name, uuid = "-" }: ListedXml): string[] => [
        ...(wantsUuid ? [uuid] : []),
        ...(wantsName ? [oneLine(name)] : []),
      ];
      call.output.print(pools.map((pool) => `${cells(pool).join(" ")}\n`).join(""));
    } else if (call.options.has("details"))
      call.output.print(formatTable(DETAILS, (await addUsage(call.instance, pools)).map(toDetails)));
    else call.output.print(formatTable(["Name", "State", "Autostart"], pools.map(toRow)));
    return undefined;
  },
};

function toRow({ isActive, isAutostarted, name }: ListedXml): readonly string[] {
  return [oneLine(name), isActive ? "active" : "inactive", yesNo(isAutostarted)];
}

function toDetails({ isAutostarted, isPersistent, name, space, state }: DetailedPool): readonly string[] {
  const size = (bytes: number | undefined): string =>
    bytes === undefined ? "-" : formatCapacity(bytes, DECIMALS);
  return [
    oneLine(name),
    state,
    yesNo(isAutostarted),
    yesNo(isPersistent),
    size(space?.capacityBytes),
    size(space?.allocationBytes),
    size(space?.availableBytes),
  ];
}

function toJson({ isAutostarted, isPersistent, name, space, state, uuid }: DetailedPool) {
  return { name, uuid, state, autostart: isAutostarted, persistent: isPersistent, ...space };
}
