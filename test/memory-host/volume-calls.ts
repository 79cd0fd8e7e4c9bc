import { SvirtError } from "../../src/errors.ts";
import type { Piece } from "../../src/host/channels.ts";
import type { Host } from "../../src/host/host.ts";
import type { NewFile } from "../../src/host/new-file.ts";
import { fileKey } from "../../src/plan/facts/file-key.ts";
import { isPartialVolume, partialVolume } from "../../src/plan/partial-names.ts";
import { convertedBytes } from "./converted-bytes.ts";
import { factsOf, hostCall, type Inode } from "./file-tree.ts";
import type { Machine } from "./machine.ts";
import type { Svirt } from "./svirt.ts";
import { keepsAttribute } from "./xattr-calls.ts";

/** Returns the calls that create and resize the files of volumes. */
export function volumeCalls(
  machine: Machine,
  svirt: Svirt,
): Pick<
  Host,
  | "copyToDevice"
  | "fillFile"
  | "lockImages"
  | "listLeftParts"
  | "makeFileWithin"
  | "openSink"
  | "openSource"
  | "removeLeftParts"
  | "resizeFile"
  | "rewriteImage"
  | "wipeFile"
> {
  const { files } = machine;
  const contentOf = ({ content, conversion, copy }: NewFile): Uint8Array => {
    if (conversion !== undefined) return convertedBytes(files, conversion, content.sizeBytes);
    const bytes = new Uint8Array(content.sizeBytes);
    const { offset = 0, mostBytes } = copy?.part ?? {};
    const end = mostBytes === undefined ? undefined : offset + mostBytes;
    bytes.set(copy === undefined ? content.bytes : files.getSame(copy.from).bytes.slice(offset, end));
    for (const part of content.parts ?? []) bytes.set(part.bytes, part.offset);
    return bytes;
  };
  return {
    ...streamCalls(machine),
    async makeFileWithin(folder, file) {
      const inside = files.getSame(folder);
      removeParts(inside);
      const path = `${folder.path}/${file.name}`;
      // As a file system other than btrfs.
      if (file.isNocow === true)
        throw new SvirtError(`Cannot create ${path}: /volume/target/nocow: `, {
          kind: "unsupported",
          remedy: "",
        });
      const { made, part } = makePart(machine, folder.path, { ...file, bytes: contentOf(file) });
      svirt.midway();
      made.uid = file.uid ?? made.uid;
      made.gid = file.gid ?? made.gid;
      made.mode = file.mode;
      if (file.label !== undefined) made.xattrs.set("security.selinux", file.label);
      setMark(machine, made, file);
      if (part !== undefined) files.remove(part);
      if (file.isReplaced !== true && files.find(path, false) !== undefined)
        throw hostCall(`make ${path}`, "EEXIST: file exists");
      inside.entries.set(file.name, made);
      return factsOf({ path, inode: made }).id;
    },
    listLeftParts: (folder) => [...files.getSame(folder).entries.keys()].filter(isPartialVolume),
    removeLeftParts: (folder) => removeParts(files.getSame(folder)),
    async fillFile(file, from, { mostBytes = Number.MAX_SAFE_INTEGER, offset }) {
      const inode = files.getSame(file);
      const content = files.get(from).bytes;
      if (content.length > mostBytes) throw hostCall(`upload ${from}`, "it is longer");
      const written = (length: number): Uint8Array => {
        const bytes = new Uint8Array(Math.max(inode.bytes.length, offset + length));
        bytes.set(inode.bytes);
        bytes.set(content.subarray(0, length), offset);
        return bytes;
      };
      inode.bytes = written(content.length >> 1);
      svirt.midway();
      inode.bytes = written(content.length);
    },
    async copyToDevice(device, data, part) {
      const inode = files.getSame(device);
      const { end, start } = part ?? { start: 0, end: inode.bytes.length };
      const source =
        "from" in data ? files.getSame(data.from).bytes : convertedBytes(files, data.conversion, 0);
      if (source.length > end - start) throw hostCall(`write to ${device.path}`, "ENOSPC: no space left");
      inode.bytes.fill(0, start, end);
      svirt.midway();
      inode.bytes.set(source, start);
    },
    async lockImages(locked) {
      const keys = locked.map(fileKey);
      for (const key of keys) {
        if (machine.lockedImages.has(key)) throw hostCall(`write to ${key}`, "another program has locked it");
        machine.lockedImages.add(key);
      }
      return () => {
        for (const key of keys) machine.lockedImages.delete(key);
      };
    },
    async wipeFile(file) {
      const inode = files.getSame(file);
      inode.bytes = inode.bytes.map((byte, at) => (at < inode.bytes.length >> 1 ? 0 : byte));
      svirt.midway();
      inode.bytes = new Uint8Array(inode.bytes.length);
    },
    async rewriteImage(file, plan) {
      const inode = files.getSame(file);
      const groups = plan({
        sizeBytes: inode.bytes.length,
        read(offset, length) {
          const bytes = new Uint8Array(length);
          bytes.set(inode.bytes.subarray(offset, offset + length));
          return bytes;
        },
      });
      for (const [at, { bytes, offset }] of groups.flat().entries()) {
        // As long as the image has its old size: the last write may free the old tables.
        if (at === groups.length >> 1) svirt.midway();
        const grown = new Uint8Array(Math.max(inode.bytes.length, offset + bytes.length));
        grown.set(inode.bytes);
        grown.set(bytes, offset);
        inode.bytes = grown;
      }
    },
    async resizeFile(file, sizeBytes) {
      const inode = files.getSame(file);
      const bytes = new Uint8Array(sizeBytes);
      bytes.set(inode.bytes.slice(0, sizeBytes));
      inode.bytes = bytes;
    },
  };
}

/** Zeros of a file count as its holes. */
function streamCalls({ files, lockedImages }: Machine): Pick<Host, "openSink" | "openSource"> {
  return {
    openSource(file, { isSparse, mostBytes = Number.MAX_SAFE_INTEGER, offset }) {
      const { bytes } = files.getSame(file);
      const end = Math.min(bytes.length, offset + mostBytes);
      let at = offset;
      return {
        async next(most) {
          if (at >= end) return undefined;
          const piece = pieceAt(bytes, { from: at, end, most, isSparse });
          at += piece instanceof Uint8Array ? piece.length : piece.holeBytes;
          return piece;
        },
        close: async () => undefined,
      };
    },
    async openSink(file, { mostBytes = Number.MAX_SAFE_INTEGER, offset }) {
      const inode = files.getSame(file);
      const key = fileKey(file);
      if (lockedImages.has(key)) throw hostCall(`write to ${file.path}`, "another program has locked it");
      lockedImages.add(key);
      let at = offset;
      return {
        async put(piece) {
          const length = piece instanceof Uint8Array ? piece.length : piece.holeBytes;
          const end = Math.min(at + length, offset + mostBytes);
          const bytes = piece instanceof Uint8Array ? piece : new Uint8Array(end - at);
          const grown = new Uint8Array(Math.max(inode.bytes.length, end));
          grown.set(inode.bytes);
          grown.set(bytes.subarray(0, end - at), at);
          inode.bytes = grown;
          if (end < at + length) throw hostCall(`write to ${file.path}`, "No space left on device");
          at = end;
        },
        finish: async () => undefined,
        close: async () => void lockedImages.delete(key),
      };
    },
  };
}

function pieceAt(
  bytes: Uint8Array,
  { end, from, isSparse, most }: { from: number; end: number; most: number; isSparse: boolean },
): Piece {
  const isZero = (at: number): boolean => bytes[at] === 0;
  const isHole = isSparse && isZero(from);
  const limit = isHole ? end : Math.min(end, from + most);
  let at = isSparse ? from : limit;
  while (at < limit && isZero(at) === isHole) at += 1;
  return isHole ? { holeBytes: at - from } : bytes.slice(from, at);
}

/**
 * Makes a file that is not whole. It has a name, but not on a tmpfs, which has files without one. open(2)
 * O_TMPFILE
 */
function makePart(
  machine: Machine,
  folder: string,
  { bytes, isReplaced }: Pick<NewFile, "isReplaced"> & { readonly bytes: Uint8Array },
): { readonly made: Inode; readonly part: string | undefined } {
  const { files, uid } = machine;
  const part = `${folder}/${partialVolume(machine.makeUuid())}`;
  const made = files.put(part, "file", { mode: 0o600, uid, bytes });
  if (!folder.startsWith("/run/") || isReplaced === true) return { made, part };
  files.remove(part);
  return { made, part: undefined };
}

function setMark({ uid }: Machine, made: Inode, { mark }: NewFile): void {
  if (mark !== undefined && uid === 0 && keepsAttribute(made.fileSystem, mark.name))
    made.xattrs.set(mark.name, mark.value);
}

function removeParts({ entries }: Inode): void {
  for (const name of entries.keys()) if (isPartialVolume(name)) entries.delete(name);
}
