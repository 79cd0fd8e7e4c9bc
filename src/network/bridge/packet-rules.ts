import { type Family, familyOf } from "../address/ip-address.ts";
import { networkOf, prefixOf } from "../address/subnet.ts";
import { modeOf } from "../forms/mode-rules.ts";
import type { Network } from "../forms/network.ts";
import { formatIsolation } from "./isolated-network.ts";
import { chain, formatBlock, LAYERS, tableOf } from "./nft-table.ts";

// Rule: The tables of a network forward its own addresses only.

/**
 * Names of bridges made by svirt, and of devices in its rules. nft(8) gives `*`, quotes and others a meaning,
 * dnsmasq(8) gives `*` and commas a meaning, and the kernel `%`.
 */
export const RULE_DEVICE = /^[A-Za-z0-9_.-]+$/;

/**
 * Destinations that are never translated: multicast of the local network, and broadcast. network_nftables.c
 * of libvirt
 */
const LOCAL = { ipv4: ["224.0.0.0/24", "255.255.255.255/32"], ipv6: ["ff02::/16"] } as const;
/** Ports of translated connections. Servers such as NFS trust the ports below. */
const PORTS = { start: 1024, end: 65535 };

type Kind = "routed" | "translated";

/** Network of a bridge, in the notation of nft. */
interface Subnet {
  readonly family: Family;
  readonly text: string;
  readonly kind: Kind;
}

/** Facts about a network's rules. */
interface Facts {
  readonly bridge: string;
  /** Device of the host for the network's forwarding; undefined: any. */
  readonly device: string | undefined;
  readonly subnets: readonly Subnet[];
}

/**
 * Returns the script for nft with new tables in place of a network's: rules for forwarded packets, and for
 * mode `nat` the translation of addresses. An isolated network forwards none. Undefined for a network of
 * another mode. nftablesAddFirewallRules() of libvirt
 */
export function formatPacketRules(network: Network, uuid: string): string | undefined {
  const mode = modeOf(network);
  if (mode === "none") return `${formatRemoval(uuid)}${formatIsolation(network, uuid)}`;
  if (mode !== "nat" && mode !== "route") return undefined;
  const facts: Facts = {
    bridge: network.bridge?.name ?? "",
    device: network.forward?.interfaces[0]?.dev,
    subnets: network.ips.map((ip): Subnet => {
      const family = familyOf(ip.address);
      const prefix = prefixOf(ip) ?? 0;
      const isTranslated = mode === "nat" && (family === "ipv4" || network.forward?.nat?.ipv6 === true);
      return {
        family,
        text: `${networkOf(ip.address, prefix)}/${prefix}`,
        kind: isTranslated ? "translated" : "routed",
      };
    }),
  };
  const tables = (["ipv4", "ipv6"] as const).filter(
    (family) => family === "ipv4" || facts.subnets.some((subnet) => subnet.family === family),
  );
  return `${formatRemoval(uuid)}${tables.map((family) => formatTable(network, facts, { family, uuid })).join("")}`;
}

/**
 * Returns the script for nft that removes a network's tables. A missing table is no error, since it is added
 * first.
 */
export function formatRemoval(uuid: string): string {
  return Object.values(LAYERS)
    .map((layer) => `add table ${layer} ${tableOf(uuid)}\ndelete table ${layer} ${tableOf(uuid)}\n`)
    .join("");
}

function formatTable(
  network: Network,
  facts: Facts,
  { family, uuid }: { readonly family: Family; readonly uuid: string },
): string {
  const subnets = facts.subnets.filter((subnet) => subnet.family === family);
  const translated = subnets.filter(({ kind }) => kind === "translated");
  return formatBlock(`table ${LAYERS[family]} ${tableOf(uuid)}`, [
    ...chain("forward", "type filter hook forward priority 0; policy accept;", [
      `iifname "${facts.bridge}" oifname "${facts.bridge}" counter accept`,
      ...subnets.map((subnet) => formatIn(facts, subnet)),
      `oifname "${facts.bridge}" counter reject`,
      ...subnets.map((subnet) => formatOut(facts, subnet)),
      `iifname "${facts.bridge}" counter reject`,
    ]),
    ...(translated.length === 0
      ? []
      : chain(
          "guest_nat",
          "type nat hook postrouting priority 100; policy accept;",
          translated.flatMap((subnet) => listTranslations(network, facts, subnet)),
        )),
  ]);
}

/** nftablesAddForwardAllowIn() and nftablesAddForwardAllowRelatedIn() of libvirt */
function formatIn({ bridge, device }: Facts, { family, kind, text }: Subnet): string {
  const from = device === undefined ? "" : `iifname "${device}" `;
  const answers = kind === "translated" ? "ct state related,established " : "";
  return `${from}oifname "${bridge}" ${LAYERS[family]} daddr ${text} ${answers}counter accept`;
}

/** nftablesAddForwardAllowOut() of libvirt */
function formatOut({ bridge, device }: Facts, { family, text }: Subnet): string {
  const to = device === undefined ? "" : ` oifname "${device}"`;
  return `${LAYERS[family]} saddr ${text} iifname "${bridge}"${to} counter accept`;
}

/** nftablesAddMasqueradingFirewallRules() of libvirt: TCP and UDP get ports that servers do not trust. */
function listTranslations(network: Network, { device }: Facts, { family, text }: Subnet): readonly string[] {
  const layer = LAYERS[family];
  const { address, port = PORTS } = network.forward?.nat ?? {};
  const through = device === undefined ? "" : `oifname "${device}" `;
  const ports = `:${formatRange(port)}`;
  // The addresses are of IPv4.
  const range = family === "ipv4" && address !== undefined ? formatRange(address) : undefined;
  const translate = (suffix: string): string => {
    if (range !== undefined) return `snat to ${range}${suffix}`;
    return suffix === "" ? "masquerade" : `masquerade to ${suffix}`;
  };
  const outside = `${layer} saddr ${text} ${layer} daddr != ${text} ${through}counter`;
  return [
    ...LOCAL[family].map(
      (local) => `${through}${layer} saddr ${text} ${layer} daddr ${local} counter return`,
    ),
    `meta l4proto tcp ${outside} ${translate(ports)}`,
    `meta l4proto udp ${outside} ${translate(ports)}`,
    `${outside} ${translate("")}`,
  ];
}

/** nft refuses a range of a single number. */
function formatRange<Value>({ end, start }: { readonly start: Value; readonly end: Value }): string {
  return start === end ? `${start}` : `${start}-${end}`;
}
