/** Formats followed by svirt. Others are recognized by their magic and refused. */
export type ImageFormat = "raw" | "qcow2" | "qed";

/** Facts of an image's own header: the image and the files that belong to it. */
export interface ImageHeader {
  readonly format: ImageFormat;
  /** Size that the guest sees; undefined for raw, where it is the file's size. */
  readonly virtualSizeBytes?: number;
  /** Backing file, by the name in the header, unresolved. */
  readonly backingFile?: string;
  /**
   * Format recorded for the backing file, as written. Absent in old images, whose backing format is unknown.
   */
  readonly backingFormat?: string;
  /** File with the guest's data while this one has only the tables (qcow2 v3), as written. */
  readonly dataFile?: string;
  readonly encryption?: "aes" | "luks";
  /** Marked as corrupt by QEMU: QEMU then opens it only for reading. */
  readonly corrupt?: boolean;
}

/** File of the host that an image's header names, and its format if the name includes it. */
export interface ImageName {
  readonly path: string;
  readonly format?: string;
}

/** Part of a file that is an image, in bytes. */
export interface ImagePart {
  readonly offset: number;
  readonly size: number;
}

/** File of a disk's chain: the image itself, a backing file or a data file. */
export interface ChainElement {
  readonly path: string;
  readonly format: ImageFormat;
  readonly role: "top" | "backing" | "data-file";
  readonly readOnly: boolean;
  readonly storage: "file" | "block";
  /** Absent: the whole file. */
  readonly slice?: ImagePart | undefined;
  /** Whether the domain names the passphrase of LUKS in it. */
  readonly isEncrypted?: true | undefined;
}
