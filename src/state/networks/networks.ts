import { type StoredXml, xmlStore } from "../xml-store.ts";

/** A network, defined, active, or both. */
export type StoredNetwork = StoredXml;

/** Networks in `/etc/svirt/networks` and `/run/svirt/networks`. */
export const networkStore = xmlStore({ folder: "networks", noun: "network", defineCommand: "net-define" });

/** Functions of the networks' store, under names of their own. */
export const {
  listEntries: listNetworkEntries,
  read: readNetwork,
  list: listNetworks,
  writeActive: writeActiveNetwork,
  activePath: activeNetworkPath,
  removeActive: removeActiveNetwork,
  isAutostarted: isNetworkAutostarted,
} = networkStore;
