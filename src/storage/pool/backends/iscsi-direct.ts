import type { PoolBackend } from "./backend.ts";
import { isNeverSame, listNone, NETWORKED, refuseNone } from "./parts.ts";

/** Target of iSCSI with QEMU's own connection. */
export const iscsiDirect = {
  parts: ["hosts", "devices", "initiator"],
  needed: ["hosts", "initiator"],
  standardDir: "none",
  sourceFormats: "none",
  volumeFormats: "none",
  volumes: "on a server",
  target: "none",
  options: "none",
  hasCow: false,
  listContradictions: listNone,
  mount: "none",
  start: { missing: "connect to iSCSI targets", remedy: NETWORKED },
  refuseSource: refuseNone,
  discovery: { command: "iscsiadm --mode discovery --type sendtargets --portal HOST" },
  takesDevices: false,
  isSameSource: isNeverSame,
  denied: "nothing",
  hasDiskMode: false,
} as const satisfies PoolBackend;
