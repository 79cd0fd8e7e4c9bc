import {
  type ForeignContent,
  type NewForeign,
  refuseForeignSize,
  SECTOR_BYTES,
  VMDK_MAGIC,
} from "./foreign-image.ts";

/** Sectors of a grain, of the descriptor and of a table of grains. qemu.git block/vmdk.c vmdk_init_extent() */
const [GRAIN, DESCRIPTOR_AT, DESCRIPTOR, GRAIN_TABLE] = [128, 1, 20, 4];
const GRAINS_BY_TABLE = 512;
const ENTRY_BYTES = 4;
/** The file has marks of line ends, and a second directory. VMDK4_FLAG_NL_DETECT, VMDK4_FLAG_RGD */
const FLAGS = 3;
/** Geometry of an IDE disk, and the most cylinders that it has. */
const [HEADS, TRACK, MOST_CYLINDERS] = [16, 63, 16_383];

/**
 * Returns a new image of VMware in one file that grows (monolithicSparse). Its tables of grains are zeros. Throws "unsupported" for its size.
 * qemu.git block/vmdk.c vmdk_co_do_create(), VMware's "Virtual Disk Format 5.0"
 */
export function formatVmdk({
  name,
  sizeBytes,
  uuid,
}: NewForeign & { readonly name: string }): ForeignContent {
  refuseForeignSize("vmdk", sizeBytes);
  const sectors = sizeBytes / SECTOR_BYTES;
  const tables = Math.ceil(Math.ceil(sectors / GRAIN) / GRAINS_BY_TABLE);
  const directory = Math.ceil((tables * ENTRY_BYTES) / SECTOR_BYTES);
  const spareAt = DESCRIPTOR_AT + DESCRIPTOR;
  const directoryAt = spareAt + directory + tables * GRAIN_TABLE;
  const dataAt = Math.ceil((directoryAt + directory + tables * GRAIN_TABLE) / GRAIN) * GRAIN;
  const bytes = new Uint8Array(spareAt * SECTOR_BYTES);
  writeHeader(new DataView(bytes.buffer), { sectors, spareAt, directoryAt, dataAt });
  bytes.set(new TextEncoder().encode(describe({ name, sectors, uuid })), DESCRIPTOR_AT * SECTOR_BYTES);
  const parts = [spareAt, directoryAt].map((at) => ({
    offset: at * SECTOR_BYTES,
    bytes: formatDirectory(tables, at + directory),
  }));
  return { bytes, parts, sizeBytes: dataAt * SECTOR_BYTES };
}

/** Places in sectors. */
interface Places {
  readonly sectors: number;
  readonly spareAt: number;
  readonly directoryAt: number;
  readonly dataAt: number;
}

/** struct VMDK4Header, behind the magic KDMV. */
function writeHeader(view: DataView, { dataAt, directoryAt, sectors, spareAt }: Places): void {
  view.setUint32(0, VMDK_MAGIC);
  view.setUint32(4, 1, true);
  view.setUint32(8, FLAGS, true);
  const numbers = [
    [12, sectors],
    [20, GRAIN],
    [28, DESCRIPTOR_AT],
    [36, DESCRIPTOR],
    [48, spareAt],
    [56, directoryAt],
    [64, dataAt],
  ] as const;
  for (const [at, number] of numbers) view.setBigUint64(at, BigInt(number), true);
  view.setUint32(44, GRAINS_BY_TABLE, true);
  view.setUint32(73, 0x0a200d0a);
}

function formatDirectory(tables: number, firstAt: number): Uint8Array {
  const bytes = new Uint8Array(tables * ENTRY_BYTES);
  const view = new DataView(bytes.buffer);
  for (let table = 0; table < tables; table += 1)
    view.setUint32(table * ENTRY_BYTES, firstAt + table * GRAIN_TABLE, true);
  return bytes;
}

function describe({
  name,
  sectors,
  uuid,
}: {
  readonly name: string;
  readonly sectors: number;
  readonly uuid: string;
}): string {
  const cylinders = Math.min(Math.floor(sectors / (HEADS * TRACK)), MOST_CYLINDERS);
  // A name with a quotation mark would end the text. VMware reads this file as the extent whatever its name is.
  const file = name.replaceAll('"', "_").slice(0, 255);
  return `# Disk DescriptorFile
version=1
CID=${uuid.slice(0, 8)}
parentCID=ffffffff
createType="monolithicSparse"

# Extent description
RW ${sectors} SPARSE "${file}"

# The Disk Data Base
#DDB

ddb.virtualHWVersion = "4"
ddb.geometry.cylinders = "${cylinders}"
ddb.geometry.heads = "${HEADS}"
ddb.geometry.sectors = "${TRACK}"
ddb.adapterType = "ide"
ddb.toolsVersion = "2147483647"
`;
}
