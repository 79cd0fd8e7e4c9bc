/**
 * Argument that makes svirt the process that confines itself and becomes a probed program. No command has
 * such a name.
 */
export const PROBE_CHILD = "#probe";
