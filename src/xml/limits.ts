// Rule: A document has at most 1 MiB, 256 levels and 20,000 elements.

/**
 * Maximum bytes of a document. A guest with 500 disks, each with a chain of four images, takes about 700 kB.
 * libvirt's clients cannot send more than 4 MiB.
 */
export const MOST_BYTES = 1 << 20;

/** Maximum depth of elements: a backing chain of 240 images fits. */
export const MOST_DEPTH = 256;

/** Maximum number of elements of a document: a guest with 1000 disks of 16 elements fits. */
export const MOST_ELEMENTS = 20_000;

/** Maximum number of attributes of an element. libvirt's longest, a disk's driver, may have 30. */
export const MOST_ATTRIBUTES = 64;
