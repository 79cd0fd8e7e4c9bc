import { SvirtError, unlessRefused } from "../errors.ts";
import type { Host } from "../host/host.ts";
import { attributesDraft, type Draft } from "../xml/draft.ts";
import { formatDocument } from "../xml/format-document.ts";
import { linkDrafts, readFact, readNumber, ueventOf } from "./node-devices/sysfs.ts";

const FOLDER = "/sys/class/net";
/**
 * Name of a guest's tap, which is no part of the host's configuration. udevBridgeScanDirFilter() of libvirt
 */
const TAP = /^vnet\d/;
/** Prefix of the links from a bond to its devices. Documentation/ABI/testing/sysfs-class-net of Linux */
const SLAVE = "slave_";
/** Prefix of the links from a device to its parts. */
const LOWER = "lower_";
const TYPES: ReadonlyMap<string | undefined, "bond" | "bridge" | "vlan"> = new Map([
  ["bond", "bond"],
  ["bridge", "bridge"],
  ["vlan", "vlan"],
] as const);

/** Network interface of the host. */
export interface HostInterface {
  readonly name: string;
  readonly mac: string;
  /** Whether the kernel reports it as up. */
  readonly isActive: boolean;
  /**
   * Whether the kernel reports it as down. A device like `lo`, with neither state in the kernel, is inactive
   * and not down.
   */
  readonly isDown: boolean;
}

/**
 * Lists the interfaces of the host by their names, without ports of bridges and without taps.
 * udevGetDevices() of libvirt
 */
export function listInterfaces(host: Host): readonly HostInterface[] {
  const has = (name: string, file: string): boolean =>
    host.inspectFile(`${FOLDER}/${name}/${file}`) !== undefined;
  return host
    .listFolder(FOLDER)
    .filter((name) => !has(name, "brport/state") && !has(name, "tun_flags"))
    .flatMap((name) => findInterface(host, name) ?? []);
}

/** Returns the named interface; undefined if the host has none. */
export function findInterface(host: Host, name: string): HostInterface | undefined {
  // A name from outside must not lead to another folder.
  if (!host.listFolder(FOLDER).includes(name)) return undefined;
  const folder = `${FOLDER}/${name}`;
  if (ueventOf(host, folder, "INTERFACE") === undefined) return undefined;
  const state = readFact(host, `${folder}/operstate`);
  const mac = readFact(host, `${folder}/address`) ?? "";
  return { name, mac, isActive: state === "up", isDown: state === "down" };
}

/** Formats libvirt's `<interface>`. virInterfaceDefFormat() of libvirt */
export function formatInterface(host: Host, { name }: HostInterface): string {
  return formatDocument(describe(host, name, "whole"));
}

function describe(host: Host, name: string, as: "whole" | "part"): Draft {
  const folder = `${FOLDER}/${name}`;
  const type = TYPES.get(ueventOf(host, folder, "DEVTYPE")) ?? "ethernet";
  const draft = attributesDraft("interface", { type, name });
  const mtu = readNumber(host, `${folder}/mtu`);
  if (as === "whole" && mtu !== undefined) draft.children.push(attributesDraft("mtu", { size: String(mtu) }));
  if (type !== "bridge") draft.children.push(...linkDrafts(host, folder));
  draft.children.push(CONTENTS[type](host, name));
  return draft;
}

const CONTENTS = {
  ethernet: (host: Host, name: string) =>
    attributesDraft("mac", { address: readFact(host, `${FOLDER}/${name}/address`) ?? "" }),
  bridge: describeBridge,
  bond: describeBond,
  vlan: describeVlan,
};

function describeBridge(host: Host, name: string): Draft {
  const read = (file: string): number => readNumber(host, `${FOLDER}/${name}/bridge/${file}`) ?? 0;
  const stp = read("stp_state") === 0 ? "off" : "on";
  const bridge = attributesDraft("bridge", { stp, delay: String(read("forward_delay")) });
  const ports = host.listFolder(`${FOLDER}/${name}/brif`).filter((port) => !TAP.test(port));
  bridge.children.push(...ports.map((port) => describe(host, port, "part")));
  return { ...bridge, isPaired: true };
}

function describeBond(host: Host, name: string): Draft {
  const read = (file: string): string => readFact(host, `${FOLDER}/${name}/bonding/${file}`) ?? "";
  const bond = attributesDraft("bond", { mode: read("mode").split(" ", 1).join("") });
  bond.children.push(...describeMonitoring(read));
  const parts = host.listFolder(`${FOLDER}/${name}`).filter((file) => file.startsWith(SLAVE));
  bond.children.push(...parts.map((file) => describe(host, file.slice(SLAVE.length), "part")));
  return { ...bond, isPaired: true };
}

/** virInterfaceBondDefFormat() of libvirt: ARP monitoring goes first, and delays of 0 are left out. */
function describeMonitoring(read: (file: string) => string): readonly Draft[] {
  const set = (file: string): string => (read(file) === "0" ? "" : read(file));
  if (set("arp_interval") !== "") {
    const validate = read("arp_validate").split(" ", 1).join("");
    const target = read("arp_ip_target");
    const how = ["active", "backup", "all"].includes(validate) ? { validate } : {};
    return [attributesDraft("arpmon", { interval: read("arp_interval"), target, ...how })];
  }
  if (set("miimon") === "") return [];
  const delays = (["downdelay", "updelay"] as const).flatMap((file) =>
    set(file) === "" ? [] : [[file, read(file)] as const],
  );
  const carrier = read("use_carrier") === "0" ? "ioctl" : "netif";
  return [attributesDraft("miimon", { freq: read("miimon"), ...Object.fromEntries(delays), carrier })];
}

/** Throws "failed" if the kernel does not report the VLAN's number. udevGetIfaceDefVlan() of libvirt */
function describeVlan(host: Host, name: string): Draft {
  // A policy may not permit this file. Names are usually the device's name and number.
  const text = unlessRefused(() => host.readText(`/proc/net/vlan/${name}`)) ?? "";
  const lower = host.listFolder(`${FOLDER}/${name}`).find((file) => file.startsWith(LOWER));
  const tag = /VID: (\d+)\s/.exec(text)?.[1] ?? /\.(\d+)$/.exec(name)?.[1];
  const device = /^Device: (.+)$/m.exec(text)?.[1] ?? lower?.slice(LOWER.length);
  if (tag === undefined || device === undefined) {
    throw new SvirtError(`internal error: failed to find the VID for the VLAN device '${name}'`, {
      kind: "failed",
      from: "INTERFACE",
      remedy: `See /proc/net/vlan/${name}.`,
    });
  }
  const vlan = attributesDraft("vlan", { tag });
  vlan.children.push(attributesDraft("interface", { name: device.trim() }));
  return vlan;
}
