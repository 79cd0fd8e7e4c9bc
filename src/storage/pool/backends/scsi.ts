import { canonical } from "../../../domain/forms/canonical.ts";
import type { SourcedPool } from "../pool-types.ts";
import type { PoolBackend } from "./backend.ts";
import { listNone, refuseNone } from "./parts.ts";

/** Units of a SCSI host. */
export const scsi = {
  parts: ["adapter"],
  needed: ["adapter"],
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
  discovery: "none",
  takesDevices: false,
  // svirt compares names of adapters only: libvirt also finds the SCSI host of a Fibre Channel adapter.
  isSameSource: (one, other) => canonical(identityOf(one)) === canonical(identityOf(other)),
  denied: "nothing",
  hasDiskMode: false,
} as const satisfies PoolBackend;

function identityOf({ source: { adapter } }: SourcedPool): unknown {
  if (adapter?.type === "fc_host") return [adapter.wwnn, adapter.wwpn];
  // A host has both names. virSCSIHostGetNumber()
  return adapter?.name === undefined ? adapter : adapter.name.replace(/^scsi_/, "");
}
