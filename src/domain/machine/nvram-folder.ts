/** Folder of libvirt for the variables of guests whose XML names no file. */
export const NVRAM_FOLDER = "/var/lib/libvirt/qemu/nvram";
