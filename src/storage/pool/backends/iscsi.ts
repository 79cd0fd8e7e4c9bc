import type { SourcedPool } from "../pool-types.ts";
import type { PoolBackend } from "./backend.ts";
import { listNone, refuseNone } from "./parts.ts";

/** Target of iSCSI with a login by the host. */
export const iscsi = {
  parts: ["hosts", "devices", "initiator"],
  needed: ["hosts"],
  standardDir: "none",
  sourceFormats: "none",
  volumeFormats: "none",
  volumes: "devices",
  target: "written",
  options: "none",
  hasCow: false,
  listContradictions: listNone,
  mount: "none",
  start: "implemented",
  refuseSource: refuseNone,
  discovery: { command: "iscsiadm --mode discovery --type sendtargets --portal HOST" },
  // Its <device> is the name of a target.
  takesDevices: false,
  isSameSource: (one, other) => isSameTarget(one, other) && mayShareSession(one, other),
  // A start without the key, as at the next boot, would log in to its target with a secret of the host.
  denied: {
    at: "definition",
    attempt: (name) => `define the storage pool '${name}', which logs in to a target`,
  },
  hasDiskMode: true,
} as const satisfies PoolBackend;

function isSameTarget(one: SourcedPool, other: SourcedPool): boolean {
  const names = new Set(one.source.devices.map(({ path }) => path));
  return other.source.devices.some(({ path }) => names.has(path));
}

/**
 * A login without the name of an initiator uses all interfaces of open-iscsi. libvirt refuses equal
 * initiators only.
 */
function mayShareSession(one: SourcedPool, other: SourcedPool): boolean {
  const [mine, theirs] = [one, other].map(({ source }) => source.initiator?.iqn.name);
  return mine === undefined || theirs === undefined || mine === theirs;
}
