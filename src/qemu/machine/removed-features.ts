/**
 * Features that QEMU has taken out of a model, or that it never had in it, which the reference knows as the model's: it says
 * `mpx=off` of each that the XML does not name, so that a guest keeps its processor whatever QEMU's machine has. The models of
 * libvirt 11.3's cpu_map that have such (`removed='yes'`); versions of them, `-v2`, have none.
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

/** Those of a model. virCPUx86Update() of libvirt */
export function removedFeatures(model: string): readonly string[] {
  return REMOVED.get(model) ?? [];
}

/** Features by libvirt's names that QEMU has no word for: none of its processors can have them. */
export const UNKNOWN_FEATURES: ReadonlySet<string> = new Set([
  "cmt",
  "cvt16",
  "mbm_local",
  "mbm_total",
  "ospke",
  "osxsave",
  "pconfig",
]);
