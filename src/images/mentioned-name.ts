import { claimedFormat } from "./header.ts";

/**
 * Place of a disk's type in the footer that a VHD image begins with, and the type that has a parent. struct
 * VHDFooter of qemu.git block/vpc.c
 */
const [TYPE_AT, DIFFERENCING] = [60, 4];
/**
 * Lines of a descriptor that name a file: of an extent, and of the parent. qemu.git block/vmdk.c
 * vmdk_parse_extents(), vmdk_parent_open()
 */
const EXTENT = /\b(?:RW|RDONLY|NOACCESS)\s+-?\d+\s+\S{1,16}\s*"([^\n\r"]*)/gi;
const PARENT = /parentFileNameHint[ \t=]*"?([^\n\r"]*)/gi;

/**
 * Decides whether an image of a format that svirt does not follow may name a file with that name, in any
 * folder, by its first bytes. LUKS names no file. Of vmdk and vpc only the places that name one count: their
 * other words, such as "ide" and "disk", may be names of volumes too.
 */
export function mayName(bytes: Uint8Array, name: string): boolean {
  const text = latin1(bytes);
  const written = latin1(new TextEncoder().encode(name));
  switch (claimedFormat(bytes)) {
    case "luks":
      return false;
    case "vpc":
      return (
        bytes[TYPE_AT + 3] === DIFFERENCING && spellings(name, written).some((word) => text.includes(word))
      );
    case "vmdk":
      // A COWD header names its parent outside of any line.
      return text.startsWith("COWD") ? text.includes(written) : isInDescriptor(text, written);
    default:
      return text.includes(written);
  }
}

function isInDescriptor(text: string, name: string): boolean {
  const paths = [EXTENT, PARENT].flatMap((line) => [...text.matchAll(line)].map(([, path = ""]) => path));
  // A host of Windows writes backslashes, and a protocol ends with a colon.
  return paths.some(
    (path) => path === name || ["/", "\\", ":"].some((end) => path.endsWith(`${end}${name}`)),
  );
}

/** Lists the bytes of a name in UTF-8 and, as VHD has it, in UTF-16 of either order. */
function spellings(name: string, written: string): readonly string[] {
  const bytes = new Uint8Array(name.length * 2);
  const view = new DataView(bytes.buffer);
  const orders = [true, false].map((isLittle) => {
    for (let at = 0; at < name.length; at += 1) view.setUint16(at * 2, name.charCodeAt(at), isLittle);
    return latin1(bytes);
  });
  return [written, ...orders];
}

/** Returns a letter for each byte. */
function latin1(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}
