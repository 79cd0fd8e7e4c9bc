const BINARY = 1024;
const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/**
 * Formats bytes as `1.000 GiB`, in the largest unit with at least 1. vshPrettyCapacity() of libvirt's
 * tools/vsh.c
 */
export function formatCapacity(bytes: number, decimals = 3): string {
  const power = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / Math.log2(BINARY)));
  return `${(bytes / BINARY ** power).toFixed(decimals)} ${UNITS[power]}`;
}
