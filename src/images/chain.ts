import { SvirtError } from "../errors.ts";
import { addChain, refuseImage, refuseSurplusData } from "./chain-refusals.ts";
import type { ChainElement, ImageFormat, ImageHeader, ImagePart } from "./element.ts";
import { HEADER_BYTES, parseImageFormat, parseImageHeader } from "./header.ts";
import { parseLuksHeader } from "./luks-header.ts";
import { resolveImageName } from "./name.ts";

/** Type and identity of the file at a path, with symbolic links followed. stat(2) */
export interface ImageFacts {
  readonly type: "file" | "block" | "character" | "folder" | "fifo" | "socket";
  /** Equal for two names of a file: device and inode, or the device number of a block device. */
  readonly id: { readonly device: string; readonly inode: string; readonly node?: string };
  /** Of a file; a block device has none here. */
  readonly sizeBytes?: number;
}

/** Access of the walk to the host: the facts of a path, and the first bytes of an image. */
export interface ImageReader<Facts extends ImageFacts> {
  /** Returns undefined if the path does not exist. */
  facts(path: string): Facts | undefined;
  /** Returns up to `length` bytes; fewer only at the end of the file. */
  read(image: Facts, offset: number, length: number): Uint8Array;
  /**
   * Returns the format of an image for which the header above records none. A guest's raw image is raw,
   * whatever it wrote there.
   */
  formatOf(image: Facts): string;
}

/** A disk's image as the domain declares it. */
export interface TopImage {
  readonly path: string;
  readonly format: ImageFormat;
  readonly readOnly: boolean;
  /** Absent: the whole file is the image. */
  readonly slice?: ImagePart | undefined;
  /** Whether the domain names the passphrase of LUKS in it. */
  readonly isEncrypted?: true | undefined;
  /** File with the data, declared by <dataStore>; it overrides the header. */
  readonly dataFile?: { readonly path: string; readonly slice?: ImagePart | undefined } | undefined;
  /** Images below it as the domain declares them; they override the headers. */
  readonly backing?: readonly { readonly path: string; readonly format: ImageFormat }[];
  /** Whether the chain ends with the last declared image or continues as that image's header says. */
  readonly below?: "nothing" | "as-probed";
}

/** Element of the chain with the facts of its file on this host. */
export interface FoundElement<Facts extends ImageFacts> extends ChainElement {
  readonly facts: Facts;
}

/** Limit of libvirt. */
const DEEPEST = 200;

/**
 * Follows an image's header to every other file to be opened by QEMU for it. The top image is first; each
 * image's data file follows it, then its backing file. Reads only headers, and nothing of a raw image. Throws
 * "not-found" for a missing file. Throws "denied" for an unrecorded format not to be guessed, "unsupported"
 * or "failed" for an image not to be followed. Each error lists the read part of the chain.
 */
export function walkChain<Facts extends ImageFacts>(
  top: TopImage,
  reader: ImageReader<Facts>,
): readonly FoundElement<Facts>[] {
  const { path, format, isEncrypted, readOnly, slice, backing = [], below = "as-probed" } = top;
  const declared = backing.map((image) => ({ ...image, role: "backing", readOnly: true }) as const);
  const chain: FoundElement<Facts>[] = [];
  try {
    const first: ImageClaim = { path, format, readOnly, slice, isEncrypted, role: "top" };
    for (let next: ImageClaim | undefined = first; next !== undefined; ) {
      const element: FoundElement<Facts> = findElement(chain, next, reader);
      chain.push(element);
      const header = readHeader(element, reader);
      refuseImage(element, header);
      const declaredData = chain.length === 1 ? top.dataFile : undefined;
      const data = dataFileOf(element, header, declaredData);
      if (data !== undefined) chain.push(findElement(chain, data, reader));
      const isLast = declared.length === 0;
      next = isLast && below === "as-probed" ? backingOf(element, header, reader) : declared.shift();
    }
  } catch (error) {
    throw addChain(error, chain, top.path);
  }
  return chain;
}

/** Image as a declaration or header names it, before its file is inspected. */
type ImageClaim = Omit<ChainElement, "storage">;

function findElement<Facts extends ImageFacts>(
  chain: readonly FoundElement<Facts>[],
  image: ImageClaim,
  reader: ImageReader<Facts>,
): FoundElement<Facts> {
  if (chain.length >= DEEPEST) {
    throw new SvirtError(`its backing chain has more than ${DEEPEST} files`, {
      kind: "unsupported",
      remedy: "Shorten it with qemu-img rebase or qemu-img convert.",
    });
  }
  const found = statImage(image.path, reader);
  const again = chain.find(({ facts }) => identityOf(facts) === identityOf(found.facts));
  if (again === undefined) return { ...image, ...found };
  throw new SvirtError(`${image.path} occurs twice in its chain (first as ${again.path})`, {
    kind: "failed",
    remedy: "Correct the backing file with qemu-img rebase -u -b FILE -F FORMAT.",
  });
}

function identityOf({ id, type }: ImageFacts): string {
  return type === "block" && id.node !== undefined ? id.node : `${id.device} ${id.inode}`;
}

function statImage<Facts extends ImageFacts>(
  path: string,
  reader: ImageReader<Facts>,
): { readonly storage: "file" | "block"; readonly facts: Facts } {
  const facts = reader.facts(path);
  if (facts === undefined) {
    throw new SvirtError(`${path} does not exist`, {
      kind: "not-found",
      remedy: "Create the file, or correct the path that names it.",
    });
  }
  if (facts.type === "file" || facts.type === "block") return { storage: facts.type, facts };
  throw new SvirtError(`${path} is a ${facts.type}, not a file or block device`, {
    kind: "unsupported",
    remedy: "Name an image file or a block device.",
  });
}

function readHeader<Facts extends ImageFacts>(
  { format, facts, isEncrypted, slice }: FoundElement<Facts>,
  reader: ImageReader<Facts>,
): ImageHeader {
  if (format === "raw" && isEncrypted !== true) return { format };
  const { offset, size } = slice ?? { offset: 0, size: HEADER_BYTES };
  const bytes = reader.read(facts, offset, Math.min(size, HEADER_BYTES));
  if (format !== "raw") return parseImageHeader(bytes, format);
  return parseLuksHeader(bytes, slice?.size ?? (facts.type === "file" ? facts.sizeBytes : undefined));
}

function dataFileOf(
  element: ChainElement,
  header: ImageHeader,
  declared: TopImage["dataFile"],
): ImageClaim | undefined {
  if (declared !== undefined) {
    refuseSurplusData(element, header);
    return { ...declared, format: "raw", role: "data-file", readOnly: element.readOnly };
  }
  if (header.dataFile === undefined) return undefined;
  const { path, format = "raw" } = resolveImageName(element.path, header.dataFile);
  if (format === "raw") return { path, format, role: "data-file", readOnly: element.readOnly };
  throw new SvirtError(`the data file of ${element.path} is ${format}, not raw`, {
    kind: "unsupported",
    remedy:
      "Convert it to a raw data file, as QEMU requires: qemu-img convert -O qcow2 -o data_file=FILE,data_file_raw=on",
  });
}

function backingOf<Facts extends ImageFacts>(
  element: FoundElement<Facts>,
  header: ImageHeader,
  reader: ImageReader<Facts>,
): ImageClaim | undefined {
  if (header.backingFile === undefined) return undefined;
  const { path, format: named } = resolveImageName(element.path, header.backingFile);
  const recorded = recordedFormat(header);
  if (named !== undefined && recorded !== undefined && named !== recorded) {
    throw new SvirtError(`${element.path} names both ${named} and ${recorded} as the format of ${path}`, {
      kind: "failed",
      remedy: `Record one format: qemu-img rebase -u -b ${path} -F FORMAT ${element.path}`,
    });
  }
  const word = recorded ?? named;
  const format = word === undefined ? unrecordedFormat(path, element, reader) : parseImageFormat(word);
  return { path, format, role: "backing", readOnly: true };
}

/** Returns the recorded format. Old images name the protocol instead, which QEMU reads as raw. */
function recordedFormat({ backingFormat }: ImageHeader): string | undefined {
  return backingFormat === "file" || backingFormat === "host_device" ? "raw" : backingFormat;
}

/**
 * Returns a format that is not recorded, only for an image without other files. libvirt has the same rule.
 */
function unrecordedFormat<Facts extends ImageFacts>(
  path: string,
  above: ChainElement,
  reader: ImageReader<Facts>,
): ImageFormat {
  const { facts } = statImage(path, reader);
  const word = reader.formatOf(facts);
  const format = parseImageFormat(word === "iso" ? "raw" : word);
  const header = parseImageHeader(reader.read(facts, 0, HEADER_BYTES), format);
  if (header.backingFile === undefined && header.dataFile === undefined) return format;
  throw new SvirtError(`${above.path} does not record the format of ${path}, which names another file`, {
    kind: "denied",
    remedy: `Record the format if it is right: qemu-img rebase -u -b ${path} -F ${format} ${above.path}`,
  });
}
