/** The formats that svirt can follow: others are known by their magic only, and refused. */
export type ImageFormat = "raw" | "qcow2" | "qed";

/** What an image's own header says about it and about the files that belong to it. */
export interface ImageHeader {
  readonly format: ImageFormat;
  /** The guest's view of its size; undefined for raw, where it is the file's size. */
  readonly virtualSizeBytes?: number;
  /** The other file that holds what this one does not, by the name written in the header, not resolved. */
  readonly backingFile?: string;
  /** The format recorded for the backing file, as written. Absent in old images: then it is not known. */
  readonly backingFormat?: string;
  /** The file that holds the guest's data while this one holds only the tables (qcow2 v3), as written. */
  readonly dataFile?: string;
  readonly encryption?: "aes" | "luks";
  /** Marked as corrupt by QEMU, which then opens it only for reading. */
  readonly corrupt?: boolean;
}

/** A file of the host that an image's header names, and its format where the name itself says it. */
export interface ImageName {
  readonly path: string;
  readonly format?: string;
}

/** The part of a file that is an image, in bytes. */
export interface ImagePart {
  readonly offset: number;
  readonly size: number;
}

/** One file of a disk's chain: the image itself, what it stands on, or where it keeps its data. */
export interface ChainElement {
  readonly path: string;
  readonly format: ImageFormat;
  readonly role: "top" | "backing" | "data-file";
  readonly readOnly: boolean;
  readonly storage: "file" | "block";
  /** Absent: the whole file. */
  readonly slice?: ImagePart | undefined;
}
