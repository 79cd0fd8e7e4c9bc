import { readWhole } from "../../xml/read-whole.ts";
import { type Dns, host, hostSearch, srv, srvSearch, txt, txtSearch } from "../forms/dns.ts";
import type { Network } from "../forms/network.ts";
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

/** Adds, replaces or removes the names of an address. virNetworkDefUpdateDNSHost() of libvirt */
export function editDnsHost(network: Network, { command, node }: Edit): Network {
  const { hosts } = dnsOf(network);
  const { name } = network;
  if (isAdd(command)) {
    const added = readWhole(host, node);
    if (hosts.every(({ ip }) => ip !== added.ip))
      return replaceDns(network, { hosts: insertEntry(hosts, added, command) });
    throw invalidEdit(
      network,
      `there is already at least one DNS HOST record with a matching field in network ${name}`,
    );
  }
  const meant = readWhole(hostSearch, node);
  const names = new Set(command === "delete" ? meant.names.map((found) => found.name) : []);
  const at = onlyMatch(network, "HOST", {
    all: hosts,
    isMeant: (found) => found.ip === meant.ip || found.names.some((known) => names.has(known.name)),
    many: "multiple matching DNS HOST records",
  });
  if (command === "delete") return replaceDns(network, { hosts: withoutEntry(hosts, at) });
  return replaceDns(network, { hosts: replaceEntry(hosts, at, { ...meant, ip: meant.ip ?? "" }) });
}

/** Adds or removes a service record. virNetworkDefUpdateDNSSrv() of libvirt */
export function editDnsSrv(network: Network, { command, node }: Edit): Network {
  if (command === "modify")
    throw unsupportedEdit("DNS SRV records cannot be modified, only added or deleted", DELETE_AND_ADD);
  const { srvs } = dnsOf(network);
  const isMeant = (found: Srv, meant: Partial<Srv>): boolean =>
    (["domain", "service", "protocol", "target"] as const).every(
      (key) => meant[key] === undefined || meant[key] === found[key],
    );
  if (isAdd(command)) {
    const added = readWhole(srv, node);
    if (!srvs.some((found) => isMeant(found, added)))
      return replaceDns(network, { srvs: insertEntry(srvs, added, command) });
    throw invalidEdit(
      network,
      `there is already at least one DNS SRV record matching all specified fields in network ${network.name}`,
    );
  }
  const meant = readWhole(srvSearch, node);
  const at = onlyMatch(network, "SRV", {
    all: srvs,
    isMeant: (found) => isMeant(found, meant),
    many: "multiple DNS SRV records matching all specified fields",
  });
  return replaceDns(network, { srvs: withoutEntry(srvs, at) });
}

type Srv = Dns["srvs"][number];

/** Adds, replaces or removes a text record. virNetworkDefUpdateDNSTxt() of libvirt */
export function editDnsTxt(network: Network, { command, node }: Edit): Network {
  const { txts } = dnsOf(network);
  const { name } = network;
  if (isAdd(command)) {
    const added = readWhole(txt, node);
    if (!txts.some((found) => found.name === added.name))
      return replaceDns(network, { txts: insertEntry(txts, added, command) });
    throw invalidEdit(
      network,
      `there is already a DNS TXT record with name '${added.name}' in network ${name}`,
    );
  }
  const { name: wanted, value } = readWhole(txtSearch, node);
  const at = txts.findIndex((found) => found.name === wanted);
  if (at === -1) throw noRecord(network, "TXT");
  if (command === "delete") return replaceDns(network, { txts: withoutEntry(txts, at) });
  if (value === undefined)
    throw invalidEdit(network, `missing value of modifying DNS TXT record in network ${name}`);
  return replaceDns(network, { txts: replaceEntry(txts, at, { name: wanted, value }) });
}

const NO_DNS: Dns = { forwarders: [], txts: [], srvs: [], hosts: [] };

function dnsOf({ dns }: Network): Dns {
  return dns ?? NO_DNS;
}

function replaceDns(network: Network, records: Partial<Dns>): Network {
  return { ...network, dns: { ...dnsOf(network), ...records } };
}

/** Returns the place of the only fitting record. */
function onlyMatch<T>(
  network: Network,
  kind: string,
  { all, isMeant, many }: { readonly all: readonly T[]; isMeant(found: T): boolean; readonly many: string },
): number {
  const at = all.findIndex(isMeant);
  if (at === -1) throw noRecord(network, kind);
  if (all.filter(isMeant).length === 1) return at;
  throw invalidEdit(network, `${many} were found in network ${network.name}`);
}

function noRecord(network: Network, kind: string): Error {
  return invalidEdit(network, `couldn't locate a matching DNS ${kind} record in network ${network.name}`);
}
