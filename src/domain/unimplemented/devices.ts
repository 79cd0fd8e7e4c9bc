import { type ByFamily, entriesIn, FAMILIES } from "../families.ts";
import { BACKEND_RULES } from "./backends.ts";
import { DISK_RULES } from "./disks.ts";
import { INTERFACE_RULES } from "./interfaces.ts";
import { PASSTHROUGH_RULES } from "./passthrough.ts";
import type { UnimplementedRule } from "./rule.ts";
import { SOCKET_RULES } from "./sockets.ts";

interface FamilyRules {
  /** Rules for sockets of other programs; they come before the rules of paths. */
  readonly sockets: readonly UnimplementedRule[];
  readonly others: readonly UnimplementedRule[];
}

/**
 * Rules of each family. "none": a start implements every feature of the family, except for the paths of
 * resources/unopened-paths.ts.
 */
const DEVICE_RULES: ByFamily<FamilyRules> = {
  disks: { sockets: SOCKET_RULES.disks, others: DISK_RULES },
  controllers: "none",
  leases: { sockets: [], others: PASSTHROUGH_RULES.leases },
  filesystems: { sockets: [], others: BACKEND_RULES.filesystems },
  interfaces: { sockets: SOCKET_RULES.interfaces, others: INTERFACE_RULES },
  smartcards: { sockets: [], others: PASSTHROUGH_RULES.smartcards },
  serials: { sockets: SOCKET_RULES.ports, others: BACKEND_RULES.ports },
  parallels: "with serials",
  consoles: "with serials",
  channels: "with serials",
  inputs: "none",
  tpms: { sockets: [], others: BACKEND_RULES.tpms },
  graphics: { sockets: [], others: BACKEND_RULES.graphics },
  sounds: "none",
  audios: { sockets: [], others: BACKEND_RULES.audios },
  videos: { sockets: [], others: BACKEND_RULES.videos },
  hostdevs: { sockets: [], others: PASSTHROUGH_RULES.hostdevs },
  redirdevs: { sockets: [], others: PASSTHROUGH_RULES.redirdevs },
  redirfilter: "with redirdevs",
  hubs: "none",
  watchdogs: "none",
  memballoon: "none",
  rngs: { sockets: SOCKET_RULES.rngs, others: BACKEND_RULES.rngs },
  panics: "none",
  shmems: { sockets: SOCKET_RULES.shmems, others: [] },
  iommu: "none",
  vsock: { sockets: [], others: BACKEND_RULES.vsock },
  cryptos: "none",
  pstore: "none",
  memories: "none",
};

const RULES = entriesIn(DEVICE_RULES, FAMILIES);

/** Rules for devices' sockets of other programs, by family. */
export const UNIMPLEMENTED_SOCKETS: readonly UnimplementedRule[] = RULES.flatMap(({ sockets }) => sockets);

/** Rules for other features of devices that a start does not implement yet, by family. */
export const UNIMPLEMENTED_DEVICES: readonly UnimplementedRule[] = RULES.flatMap(({ others }) => others);
