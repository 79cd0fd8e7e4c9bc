import {
  formatPoolOptions,
  PLACED_POOL_OPTIONS,
  POOL_OPTIONS,
  type PoolOption,
} from "../../storage/pool/pool-options.ts";
import type { Formatting } from "../../storage/pool/rules/startable.ts";
import type { StartOptions } from "../../vm/pool/open-target.ts";
import { type Call, type Operand, type Option, operand } from "../command.ts";
import { onlyOne } from "./exclusive.ts";

/** Summary and value of each option for a part of a pool. */
const PARTS: Readonly<Record<PoolOption, readonly [summary: string, value: string]>> = {
  "source-host": ["server with the storage", "HOST"],
  "source-path": ["folder on the server", "PATH"],
  "source-dev": ["block device or iSCSI target with the storage", "DEVICE"],
  "source-name": ["name of the storage, such as a volume group", "NAME"],
  target: ["folder of the volumes on this host", "PATH"],
  "source-format": ["format of the storage", "FORMAT"],
  "auth-type": ["way to log in: chap or ceph", "TYPE"],
  "auth-username": ["user to log in as", "USER"],
  "secret-usage": ["usage of the secret with the password", "USAGE"],
  "secret-uuid": ["uuid of the secret with the password", "UUID"],
  "adapter-name": ["SCSI adapter, such as scsi_host3", "NAME"],
  "adapter-wwnn": ["node name of a Fibre Channel adapter", "WWNN"],
  "adapter-wwpn": ["port name of a Fibre Channel adapter", "WWPN"],
  "adapter-parent": ["parent of a virtual adapter", "NAME"],
  "adapter-parent-wwnn": ["node name of the parent", "WWNN"],
  "adapter-parent-wwpn": ["port name of the parent", "WWPN"],
  "adapter-parent-fabric-wwn": ["fabric name of the parent", "WWN"],
  "source-protocol-ver": ["version of NFS", "VERSION"],
  "source-initiator": ["name of the host's login to an iSCSI target", "IQN"],
};

/** Operands naming a new pool, with its parts in virsh's positions. */
export const NEW_POOL_OPERANDS: readonly Operand[] = [
  { name: "name", summary: "name of the pool" },
  { name: "type", summary: "type of the pool, such as dir" },
  ...PLACED_POOL_OPTIONS.map((name) => ({ name, summary: PARTS[name][0], isOptional: true })),
];

/** Options for the parts of a pool, and for printing its XML only. */
export const NEW_POOL_OPTIONS: readonly Option[] = [
  { name: "print-xml", summary: "print the XML and change nothing" },
  ...POOL_OPTIONS.map((name) => ({ name, summary: PARTS[name][0], value: PARTS[name][1] })),
];

/** Options of commands making a pool's folder. */
export const OVERWRITE_OPTIONS: readonly Option[] = [
  { name: "no-overwrite", summary: "make the storage on an empty device; refuse a device with content" },
  { name: "overwrite", summary: "make the storage, and overwrite the device's content" },
];

/** Options of commands starting a pool, with its folder on request. */
export const START_OPTIONS: readonly Option[] = [
  { name: "build", summary: "first make the pool's folder, volume group or partition table" },
  ...OVERWRITE_OPTIONS,
];

/** Details of commands with operands for parts. */
export const PLACED_DETAILS =
  "A - stands for an omitted part: `svirt pool-define-as images dir - - - - /srv/images`.";

/**
 * Returns the XML of operands and options. Throws "usage" for exclusive options. virsh writes the - of
 * `pool-define-as images dir - - - - /srv/images` as host, folder, device and name, and libvirt removes them
 * from a folder's pool.
 */
export function newPoolXml(call: Call): string {
  onlyOne(call, ["secret-usage", "secret-uuid"]);
  const placed = [...call.operands].filter(([, value]) => value !== "-");
  const parts = new Map([...placed, ...call.options]);
  return formatPoolOptions(operand(call, "name"), operand(call, "type"), parts);
}

/** Returns how the options start a pool. Throws "usage" for two that exclude each other. */
export function startOptionsOf(call: Call): StartOptions {
  const formatting = formattingBy(call);
  return { isBuilt: formatting !== undefined || call.options.has("build"), formatting };
}

/** Returns how the options ask for a new file system. Throws "usage" for two that exclude each other. */
export function formattingBy(call: Call): Formatting | undefined {
  return onlyOne(call, ["overwrite", "no-overwrite"]);
}
