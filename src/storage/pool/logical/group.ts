import { SvirtError } from "../../../errors.ts";
import type { Pool } from "../stored-pool.ts";

/**
 * Characters of the names of volume groups and logical volumes; a hyphen is not the first. lvm(8), VALID
 * NAMES
 */
const NAME = /^[A-Za-z0-9+_.][A-Za-z0-9+_.-]*$/;
/** Longest name of a volume group, or of a logical volume with its group's. NAME_LEN of lvm2 */
const MOST_LENGTH = 127;
/** LVM's names for its own volumes. lvm(8), VALID NAMES */
const OWN_START = /^(?:snapshot|pvmove)/;
const OWN_PART =
  /_(?:cdata|cmeta|corig|cvol|imeta|iorig|mimage|mlog|pmspare|rimage|rmeta|tdata|tmeta|vdata|vorigin|wcorig)/;
/** Length of the UUID of a group, and of a volume, in the kernel's identifier. ID_LEN of lvm2 */
const UUID_LENGTH = 32;
/** Lengths of the parts of a UUID as LVM prints it. id_write_format() of lvm2 */
const UUID_PARTS = /^(.{6})(.{4})(.{4})(.{4})(.{4})(.{4})(.{6})$/;

/** Returns the name of a pool's volume group. Throws "unsupported" for a name forbidden by LVM. */
export function volumeGroupOf({ name, source }: Pick<Pool, "name" | "source">): string {
  const group = source.name ?? name;
  if (isName(group)) return group;
  throw new SvirtError(`Cannot use /pool/source/name: ${group} is not the name of a volume group`, {
    kind: "unsupported",
    place: "/pool/source/name",
    remedy: "Write a name of letters, digits, and + _ . - that does not begin with a hyphen.",
  });
}

/** Returns the reason why a new volume of a group cannot have this name; undefined if it can. */
export function problemOfLogicalName(name: string, group: string): string | undefined {
  if (!isName(name)) return "the name must have letters, digits, and + _ . - only, and no hyphen first";
  if (OWN_START.test(name) || OWN_PART.test(name)) return "LVM keeps names of this form for its own volumes";
  return name.length + group.length > MOST_LENGTH
    ? `the names of volume and group have over ${MOST_LENGTH} characters`
    : undefined;
}

function isName(name: string): boolean {
  return NAME.test(name) && name !== "." && name !== ".." && name.length <= MOST_LENGTH;
}

/** Logical volume mapped by the kernel. */
export interface MappedVolume {
  readonly group: string;
  readonly name: string;
  /** UUID as LVM prints it, which libvirt takes for a volume's key. */
  readonly uuid: string;
}

/**
 * Returns the logical volume with this name and identifier of the device-mapper; undefined for another
 * device, and for a layer or a part of a volume. dm_build_dm_name() and build_dm_uuid() of lvm2
 */
export function parseMappedVolume(mapName: string, mapUuid: string): MappedVolume | undefined {
  const [, group, name] = /^((?:[^-]|--)+)-((?:[^-]|--)+)$/.exec(mapName) ?? [];
  const [, id = ""] = /^LVM-(.*)$/.exec(mapUuid) ?? [];
  if (group === undefined || name === undefined || id.length !== 2 * UUID_LENGTH) return undefined;
  const written = name.replaceAll("--", "-");
  if (OWN_START.test(written) || OWN_PART.test(written)) return undefined;
  const uuid = id.slice(UUID_LENGTH).replace(UUID_PARTS, "$1-$2-$3-$4-$5-$6-$7");
  return { group: group.replaceAll("--", "-"), name: written, uuid };
}
