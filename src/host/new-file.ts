import type { SourceFile } from "../images/conversion/guest-data.ts";
import type { ImageWrite } from "../images/image-writes.ts";
import type { FileId } from "../plan/facts/file.ts";

/** Content of a new file. */
export interface FileContent {
  readonly bytes: Uint8Array;
  /** If greater than the number of bytes, the rest is zeros and takes no space on disk. */
  readonly sizeBytes: number;
  /** Bytes behind the first. */
  readonly parts?: Iterable<ImageWrite>;
}

/** Part of a volume to read from or write to another file. */
export interface FilePart {
  readonly offset: number;
  /** Most bytes; undefined: all. */
  readonly mostBytes: number | undefined;
  /** Whether holes stay holes. Otherwise they become zeros with space on disk. */
  readonly isSparse: boolean;
  onProgress?(done: number, total: number): void;
}

/** Copy of a file's bytes. */
export interface FileCopy {
  readonly from: FileId;
  /** Absent: all of it. */
  readonly part?: FilePart;
  /** Whether both must share their space on disk, rather than only may. ioctl_ficlone(2) */
  readonly isShared: boolean;
}

/** Conversion of an image, closed to other programs' writes meanwhile. */
export interface ImageConversion {
  /** The image, and the images below it. */
  readonly from: readonly FileId[];
  /** Returns the writes for the new file, carried out in order. */
  convert(files: readonly SourceFile[]): Iterable<ImageWrite>;
}

/** New data of a block device: from a file or another device, or from an image converted to raw. */
export type DeviceData =
  | { readonly from: FileId; readonly onProgress?: ((done: number, total: number) => void) | undefined }
  | { readonly conversion: ImageConversion };

/** Part of a disk, in bytes. */
export interface DevicePart {
  readonly start: number;
  readonly end: number;
}

/** File to create in an inspected folder. */
export interface NewFile {
  readonly name: string;
  readonly content: FileContent;
  /** Whether the file system overwrites its data in place. FS_NOCOW_FL */
  readonly isNocow?: boolean | undefined;
  /** Whether a file of the name is replaced. */
  readonly isReplaced?: true;
  /** File with its bytes instead, without holes. */
  readonly copy?: FileCopy | undefined;
  /** Images with its data instead. */
  readonly conversion?: ImageConversion | undefined;
  /** Length of its beginning with reserved disk space. fallocate(2) */
  readonly reservedBytes: number;
  readonly mode: number;
  /** Absent: the caller's. */
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  /** Absent: the kernel's label of a new file in the folder. */
  readonly label?: string | undefined;
  /** Attribute that it has before its name, if svirt may set it and the file system keeps it. */
  readonly mark?: { readonly name: string; readonly value: string } | undefined;
}
