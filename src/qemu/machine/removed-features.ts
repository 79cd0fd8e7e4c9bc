/**
 * Features of libvirt's models without support in QEMU's model, removed or never there. libvirt writes
 * `mpx=off` for each feature absent from the XML, so the processor does not depend on QEMU's machine. Models
 * of libvirt 11.3's cpu_map with such features (`removed='yes'`); their versions, `-v2`, have none.
 */
const REMOVED: ReadonlyMap<string, readonly string[]> = new Map([
  ["Cascadelake-Server", ["mpx"]],
  ["Cascadelake-Server-noTSX", ["mpx"]],
  ["Dhyana", ["monitor"]],
  ["EPYC", ["monitor"]],
  ["EPYC-IBPB", ["monitor"]],
  ["Icelake-Client", ["intel-pt"]],
  ["Icelake-Client-noTSX", ["intel-pt"]],
  ["Icelake-Server", ["intel-pt", "mpx"]],
  ["Icelake-Server-noTSX", ["intel-pt", "mpx"]],
  ["Opteron_G3", ["monitor"]],
  ["Skylake-Client", ["mpx"]],
  ["Skylake-Client-IBRS", ["mpx"]],
  ["Skylake-Client-noTSX-IBRS", ["mpx"]],
  ["Skylake-Server", ["mpx"]],
  ["Skylake-Server-IBRS", ["mpx"]],
  ["Skylake-Server-noTSX-IBRS", ["mpx"]],
]);

/** Returns the removed features of a model. virCPUx86Update() of libvirt */
export function removedFeatures(model: string): readonly string[] {
  return REMOVED.get(model) ?? [];
}

/** Features, by libvirt's names, unknown to QEMU: none of its processors can have them. */
export const UNKNOWN_FEATURES: ReadonlySet<string> = new Set([
  "cmt",
  "cvt16",
  "mbm_local",
  "mbm_total",
  "ospke",
  "osxsave",
  "pconfig",
]);
