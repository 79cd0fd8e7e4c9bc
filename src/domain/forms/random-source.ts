/** What QEMU reads where the XML names no source, as in libvirt. */
export const DEFAULT_RANDOM_SOURCE = "/dev/random";
