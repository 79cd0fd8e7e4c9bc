const SECTOR_BYTES = 512;
const VHD_HEADER_BYTES = 1024;

/**
 * Returns the beginning of an image of VMware in one file, with its descriptor. struct VMDK4Header of
 * qemu.git block/vmdk.c, VMware's "Virtual Disk Format 5.0"
 */
export function vmdkBytes(sizeBytes: number, name = "own.vmdk"): Uint8Array {
  const bytes = new Uint8Array(21 * SECTOR_BYTES);
  const view = new DataView(bytes.buffer);
  const sectors = sizeBytes / SECTOR_BYTES;
  bytes.set(textBytes("KDMV"));
  view.setUint32(4, 1, true);
  view.setBigUint64(12, BigInt(sectors), true);
  view.setBigUint64(28, 1n, true);
  view.setBigUint64(36, 20n, true);
  bytes.set(
    textBytes(
      `# Disk DescriptorFile\nversion=1\nCID=0f4b6d52\nparentCID=ffffffff\ncreateType="monolithicSparse"\n\n` +
        `# Extent description\nRW ${sectors} SPARSE "${name}"\n\n# The Disk Data Base\n#DDB\n\nddb.adapterType = "ide"\n`,
    ),
    SECTOR_BYTES,
  );
  return bytes;
}

/**
 * Returns the beginning of a VHD of that type (3: dynamic, 4: differencing): the copy of its footer, and its
 * second header with the parent's name in UTF-16. struct VHDFooter and VHDDynDiskHeader of qemu.git
 * block/vpc.c
 */
export function vpcBytes(sizeBytes: number, { parent = "", type = 3 } = {}): Uint8Array {
  const bytes = new Uint8Array(SECTOR_BYTES + VHD_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(textBytes("conectix"));
  view.setBigUint64(40, BigInt(sizeBytes));
  view.setBigUint64(48, BigInt(sizeBytes));
  view.setUint32(60, type);
  bytes.set(textBytes("cxsparse"), SECTOR_BYTES);
  for (const [at, letter] of [...parent].entries())
    view.setUint16(SECTOR_BYTES + 64 + at * 2, letter.charCodeAt(0));
  return bytes;
}

function textBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
