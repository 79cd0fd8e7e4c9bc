/** Folder of libvirt for the variables of guests without a file in their XML. */
export const NVRAM_FOLDER = "/var/lib/libvirt/qemu/nvram";
