import type { SvirtError } from "../../errors.ts";
import { brokenHeader } from "../header-bytes.ts";
import { ENTRY_BYTES } from "../image-writes.ts";
import { type Qcow2Mapping, readQcow2Mapping } from "../qcow2-tables.ts";
import { type CompressedPart, compressedPart, leastCompressed } from "./compressed-cluster.ts";
import type { Layer, Piece, SourceFile } from "./guest-data.ts";
import { readWords, type Words } from "./table-words.ts";

/** Bits of the upper half of an entry, and of the lower half. qemu.git docs/interop/qcow2.rst */
const [PLACE_HIGH, COMPRESSED_HIGH, PLACE_LOW, ZERO_LOW] = [0x00ffffff, 0x40000000, 0xfffffe00, 1];
/** Subclusters of a cluster with an extended entry. */
const SUBCLUSTERS = 32;
/** Most bytes of a piece of data: a reader takes no more at once. */
const MOST_BYTES = 2 * 1024 * 1024;

/** Content of a cluster or subcluster, and its place in the file. */
interface Unit {
  readonly is: "zero" | "below" | "data" | "compressed";
  readonly at: number;
}

/** An open image. */
interface Image {
  readonly file: SourceFile;
  readonly mapping: Qcow2Mapping;
  readonly words: Words;
  /** Counts bytes of the file that are used. Throws "failed" once they are more than it has. */
  readonly spend: (bytes: number) => void;
  /** The cluster that was decompressed last, by its entry: an image above it may show many pieces of it. */
  decompressed: { readonly entry: number; readonly bytes: Uint8Array } | undefined;
}

/** Part of the disk without data. */
interface EmptyRun {
  readonly is: "zero" | "below";
  readonly start: number;
  readonly end: number;
}

/**
 * Reads the guest data of a qcow2 image by its active tables. Each entry is checked, since a guest may have
 * written the image. Throws "failed" for a broken header, "unsupported" for an image that svirt does not
 * convert. qemu.git docs/interop/qcow2.rst
 */
export function readQcow2Layer(file: SourceFile): Layer {
  const mapping = readQcow2Mapping(file);
  const { bytesByEntry, clusterBytes, l1, sizeBytes } = mapping;
  const spend = budgetOf(file.sizeBytes, clusterBytes);
  const image: Image = { file, mapping, words: readWords(file), spend, decompressed: undefined };
  // A table is not searched again for each piece of the image below.
  let run: EmptyRun = { is: "below", start: 0, end: 0 };
  let last: { index: number; table: number } | undefined;
  const tableAt = (index: number): number => {
    if (last?.index === index) return last.table;
    const table = placeIn(image, l1.at + index * ENTRY_BYTES, "an L2 table");
    if (table > 0) image.spend(clusterBytes);
    last = { index, table };
    return table;
  };
  return {
    sizeBytes,
    pieceAt(offset, mostBytes) {
      if (offset >= run.start && offset < run.end)
        return { is: run.is, bytes: Math.min(mostBytes, run.end - offset) };
      const within = offset % bytesByEntry;
      const rest = Math.min(mostBytes, bytesByEntry - within);
      const table = tableAt(Math.floor(offset / bytesByEntry));
      if (table === 0) return { is: "below", bytes: rest };
      const piece = pieceIn(image, { table, within, rest });
      if (piece.is !== "data") run = { is: piece.is, start: offset, end: offset + piece.bytes };
      return piece;
    },
  };
}

/** Returns the piece at a place within the range of an L2 table. */
function pieceIn(
  image: Image,
  { rest, table, within }: { readonly table: number; readonly within: number; readonly rest: number },
): Piece {
  const { clusterBytes, extendedL2 } = image.mapping;
  const unitBytes = extendedL2 ? clusterBytes / SUBCLUSTERS : clusterBytes;
  const first = unitAt(image, table, within);
  if (first.is === "compressed") return compressedPiece(image, table, { within, rest });
  const start = within - (within % unitBytes);
  const most = first.is === "data" ? Math.min(rest, MOST_BYTES) : rest;
  let end = start + unitBytes;
  for (; end - within < most; end += unitBytes) {
    const next = unitAt(image, table, end);
    if (next.is !== first.is || (next.is === "data" && next.at !== first.at + end - start)) break;
  }
  const bytes = Math.min(most, end - within);
  if (first.is !== "data") return { is: first.is, bytes };
  return {
    is: "data",
    bytes,
    readInto(target) {
      image.spend(bytes);
      target.set(image.file.read(first.at + within - start, bytes));
    },
  };
}

function unitAt(image: Image, table: number, within: number): Unit {
  const { words } = image;
  const { clusterBytes, compat, extendedL2, mappingBytes } = image.mapping;
  const entry = table + Math.floor(within / clusterBytes) * mappingBytes;
  if ((words.high(entry) & COMPRESSED_HIGH) !== 0) return { is: "compressed", at: entry };
  if (extendedL2) return subclusterAt(image, entry, within % clusterBytes);
  if ((words.low(entry) & ZERO_LOW) !== 0) {
    if (compat === "0.10") throw broken("it has a cluster of zeros, which version 2 has not");
    return { is: "zero", at: 0 };
  }
  const at = placeIn(image, entry, "a cluster");
  return { is: at === 0 ? "below" : "data", at };
}

/**
 * The second half of an extended entry has a bit for each allocated subcluster, and for each subcluster of
 * zeros.
 */
function subclusterAt(image: Image, entry: number, within: number): Unit {
  const subclusterBytes = image.mapping.clusterBytes / SUBCLUSTERS;
  const number = Math.floor(within / subclusterBytes);
  const hasBit = (bits: number): boolean => ((bits >>> number) & 1) !== 0;
  const isZeros = hasBit(image.words.high(entry + ENTRY_BYTES));
  const isAllocated = hasBit(image.words.low(entry + ENTRY_BYTES));
  const at = placeIn(image, entry, "a cluster");
  if (isAllocated && (isZeros || at === 0)) throw broken(`the entry at ${entry} contradicts itself`);
  if (isAllocated) return { is: "data", at: at + number * subclusterBytes };
  return { is: isZeros ? "zero" : "below", at: 0 };
}

function compressedPiece(
  image: Image,
  table: number,
  { rest, within }: { readonly within: number; readonly rest: number },
): Piece {
  const { file, mapping, spend, words } = image;
  const { clusterBytes, compression, mappingBytes } = mapping;
  const entry = table + Math.floor(within / clusterBytes) * mappingBytes;
  const part = compressedPart(words.word(entry), clusterBytes);
  if (part.at >= file.sizeBytes) throw broken(`a compressed cluster is at ${part.at}`);
  const skipped = within % clusterBytes;
  const bytes = Math.min(rest, clusterBytes - skipped);
  return {
    is: "data",
    bytes,
    readInto(target) {
      spend(leastCompressed(compression, bytes));
      if (image.decompressed?.entry !== entry)
        image.decompressed = { entry, bytes: decompressPart(image, part) };
      target.set(image.decompressed.bytes.subarray(skipped, skipped + bytes));
    },
  };
}

function decompressPart({ file, mapping }: Image, part: CompressedPart): Uint8Array {
  const packed = file.read(part.at, Math.min(part.bytes, file.sizeBytes - part.at));
  const cluster = file.decompress(mapping.compression, packed, mapping.clusterBytes);
  if (cluster?.length === mapping.clusterBytes) return cluster;
  throw broken(`the compressed cluster at ${part.at} has other data`);
}

/**
 * Returns the place in an entry; 0 for none. Throws "failed" for a place between two clusters or behind the
 * file's end.
 */
function placeIn({ file, mapping, words }: Image, entry: number, what: string): number {
  const at = (words.high(entry) & PLACE_HIGH) * 2 ** 32 + ((words.low(entry) & PLACE_LOW) >>> 0);
  if (at % mapping.clusterBytes !== 0 || at >= file.sizeBytes) throw broken(`${what} is at ${at}`);
  return at;
}

/** Each cluster is mapped once: tables with repetitions could fill a disk from a small file. */
function budgetOf(fileBytes: number, clusterBytes: number): Image["spend"] {
  let rest = fileBytes + clusterBytes;
  return (bytes) => {
    rest -= bytes;
    if (rest < 0) throw broken(`its tables name more data than its ${fileBytes} bytes`);
  };
}

function broken(what: string): SvirtError {
  return brokenHeader("qcow2", what);
}
