/** QEMU's default source, as in libvirt. */
export const DEFAULT_RANDOM_SOURCE = "/dev/random";
