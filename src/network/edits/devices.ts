import { readWhole } from "../../xml/read-whole.ts";
import { poolInterface } from "../forms/forward.ts";
import { modeOf } from "../forms/mode-rules.ts";
import { type Network, portgroup } from "../forms/network.ts";
import type { Edit } from "./edit.ts";
import {
  DELETE_AND_ADD,
  insertEntry,
  invalidEdit,
  isAdd,
  replaceEntry,
  unsupportedEdit,
  withoutEntry,
} from "./lists.ts";

/** Adds or removes a device of the pool. virNetworkDefUpdateForwardInterface() of libvirt */
export function editForwardInterface(network: Network, { command, node, uses }: Edit): Network {
  if (command === "modify") {
    throw unsupportedEdit(
      "forward interface entries cannot be modified, only added or deleted",
      DELETE_AND_ADD,
    );
  }
  const { forward, name } = network;
  if (forward === undefined) {
    // libvirt reports success, and stores nothing.
    throw invalidEdit(network, `network '${name}' of mode ${modeOf(network)} has no interfaces in <forward>`);
  }
  const { dev } = readWhole(poolInterface, node);
  const { interfaces } = forward;
  const at = interfaces.findIndex((found) => found.dev === dev);
  const { dev: _, ...rest } = forward;
  const edited = (pool: typeof interfaces): Network => {
    const [first] = pool;
    return {
      ...network,
      forward: { ...rest, ...(first === undefined ? {} : { dev: first.dev }), interfaces: pool },
    };
  };
  if (isAdd(command)) {
    if (at === -1) return edited(insertEntry(interfaces, { dev }, command));
    throw invalidEdit(
      network,
      `there is an existing interface entry in network '${name}' that matches "<interface dev='${dev}'>"`,
    );
  }
  if (at === -1) {
    throw invalidEdit(
      network,
      `couldn't find an interface entry in network '${name}' matching <interface dev='${dev}'>`,
    );
  }
  const count = uses.get(dev) ?? 0;
  if (count === 0) return edited(withoutEntry(interfaces, at));
  throw invalidEdit(
    network,
    `unable to delete interface '${dev}' in network '${name}'. It is currently being used by ${count} domains.`,
  );
}

/** Adds, replaces or removes a port group. virNetworkDefUpdatePortGroup() of libvirt */
export function editPortgroup(network: Network, { command, node }: Edit): Network {
  const group = readWhole(portgroup, node);
  const { name, portgroups } = network;
  const at = portgroups.findIndex((found) => found.name === group.name);
  const other = portgroups.findLastIndex((found) => found.default === true);
  if (isAdd(command) !== (at === -1)) {
    throw invalidEdit(
      network,
      at === -1
        ? `couldn't find a portgroup entry in network '${name}' matching <portgroup name='${group.name}'>`
        : `there is an existing portgroup entry in network '${name}' that matches "<portgroup name='${group.name}'>"`,
    );
  }
  if (command !== "delete" && group.default === true && other !== -1 && other !== at) {
    throw invalidEdit(
      network,
      `a different portgroup entry in network '${name}' is already set as the default. Only one default is allowed.`,
    );
  }
  if (isAdd(command)) return { ...network, portgroups: insertEntry(portgroups, group, command) };
  return {
    ...network,
    portgroups: command === "modify" ? replaceEntry(portgroups, at, group) : withoutEntry(portgroups, at),
  };
}
