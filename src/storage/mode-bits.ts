/** Bits of a mode that libvirt reads and writes. S_IRWXUGO of sys/stat.h */
export const MODE_BITS = 0o777;
