import * as v from "valibot";
import { SvirtError } from "../../../errors.ts";
import type { PoolSpace } from "../document.ts";

/** Fields of `lvm lvs`, also read by libvirt. virStorageBackendLogicalFindLVs() of libvirt */
const VOLUME_FIELDS = [
  ...[
    "lv_name",
    "origin",
    "devices",
    "segtype",
    "stripes",
    "seg_size",
    "vg_extent_size",
    "lv_size",
    "lv_attr",
  ],
] as const;

const bytes = v.pipe(v.string(), v.regex(/^\d{1,19}$/), v.transform(Number));
const volumeRow = v.object({
  lv_name: v.string(),
  origin: v.string(),
  devices: v.string(),
  segtype: v.string(),
  stripes: bytes,
  seg_size: bytes,
  vg_extent_size: bytes,
  lv_size: bytes,
  lv_attr: v.string(),
});
const groupRow = v.object({ vg_size: bytes, vg_free: bytes });
const physicalRow = v.object({ pv_name: v.string(), vg_name: v.string() });

/** Part of a logical volume on a physical volume, in bytes. */
interface LogicalExtent {
  readonly path: string;
  readonly start: number;
  readonly end: number;
}

/** Logical volume, as LVM's metadata describe it. */
export interface LogicalVolume {
  readonly name: string;
  /** Origin of the snapshot. */
  readonly origin: string | undefined;
  readonly isThin: boolean;
  /** Whether it is a snapshot with space of its own, full at some time. */
  readonly isSparse: boolean;
  readonly sizeBytes: number;
  readonly extents: readonly LogicalExtent[];
}

/** Physical volume; without a group its name is empty. */
export interface PhysicalVolume {
  readonly path: string;
  readonly group: string;
}

const [LVM, IN_BYTES] = ["/usr/sbin/lvm", ["--units", "b", "--nosuffix"]] as const;
const JSON_FORMAT = ["--reportformat", "json"] as const;

/** Returns the command for listing the volumes of a group. */
export function volumesCommand(group: string): readonly string[] {
  return [LVM, "lvs", ...JSON_FORMAT, ...IN_BYTES, "--options", VOLUME_FIELDS.join(","), group];
}

/** Returns the command that reads the space of a group. virStorageBackendLogicalRefreshPool() of libvirt */
export function spaceCommand(group: string): readonly string[] {
  return [LVM, "vgs", ...JSON_FORMAT, ...IN_BYTES, "--options", "vg_size,vg_free", group];
}

/**
 * Returns the command that lists the physical volumes of the host. virStorageBackendLogicalGetPoolSources()
 * of libvirt
 */
export function physicalCommand(): readonly string[] {
  return [LVM, "pvs", ...JSON_FORMAT, "--options", "pv_name,vg_name"];
}

/**
 * Reads the output of volumesCommand(). Throws "failed" for any other. virStorageBackendLogicalMakeVol() of
 * libvirt
 */
export function parseVolumes(text: string): readonly LogicalVolume[] {
  const rows = parseReport(text, v.object({ lv: v.array(volumeRow) })).flatMap(({ lv }) => lv);
  // A volume has a row for each of its segments.
  return [...Map.groupBy(rows, (row) => row.lv_name).values()].flatMap((segments) => {
    const [first] = segments;
    if (first === undefined) return [];
    const { lv_attr: attributes, lv_name: name, lv_size: sizeBytes, origin, segtype } = first;
    return [
      {
        name,
        // The origin of a sparse volume is LVM's own, and in brackets.
        origin: origin === "" || origin.startsWith("[") ? undefined : origin,
        isThin: segtype === "thin",
        isSparse: attributes.startsWith("s"),
        sizeBytes,
        extents: segments.flatMap(extentsOf),
      },
    ];
  });
}

/**
 * Returns the extents of a segment: an extent for each device, `/dev/sdb(25)`.
 * virStorageBackendLogicalParseVolExtents() of libvirt
 */
function extentsOf({
  devices,
  seg_size: length,
  segtype,
  stripes,
  vg_extent_size: unit,
}: v.InferOutput<typeof volumeRow>): readonly LogicalExtent[] {
  const isSpread = segtype === "striped" || segtype === "mirror" || segtype.startsWith("raid");
  const listed = devices === "" ? [] : devices.split(",").slice(0, isSpread ? stripes : 1);
  return listed.flatMap((device) => {
    const [, path, first] = /^(.+)\((\d+)\)$/.exec(device) ?? [];
    // A part of a mirror is another volume, which has no path.
    if (path?.startsWith("/") !== true) return [];
    return [{ path, start: Number(first) * unit, end: Number(first) * unit + length }];
  });
}

/** Reads the output of spaceCommand(). Throws "failed" for any other. */
export function parseSpace(text: string): PoolSpace {
  const [row] = parseReport(text, v.object({ vg: v.array(groupRow) })).flatMap(({ vg }) => vg);
  if (row === undefined) throw unreadable();
  const { vg_free: availableBytes, vg_size: capacityBytes } = row;
  return { capacityBytes, allocationBytes: capacityBytes - availableBytes, availableBytes };
}

/** Reads the output of physicalCommand(). Throws "failed" for any other. */
export function parsePhysicalVolumes(text: string): readonly PhysicalVolume[] {
  return parseReport(text, v.object({ pv: v.array(physicalRow) })).flatMap(({ pv }) =>
    pv.map(({ pv_name: path, vg_name: group }) => ({ path, group })),
  );
}

function parseReport<Report extends v.GenericSchema>(
  text: string,
  report: Report,
): readonly v.InferOutput<Report>[] {
  const form = v.pipe(v.string(), v.parseJson(), v.object({ report: v.array(report) }));
  const read = v.safeParse(form, text);
  if (!read.success) throw unreadable();
  return read.output.report;
}

function unreadable(): SvirtError {
  return new SvirtError("Cannot read the report of lvm: it is not of the form that svirt knows", {
    kind: "failed",
    remedy: "Check the version of LVM: lvm version. svirt is tested with 2.03.31.",
  });
}
