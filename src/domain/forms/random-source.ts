/** Source that QEMU reads if the XML names none, as in libvirt. */
export const DEFAULT_RANDOM_SOURCE = "/dev/random";
