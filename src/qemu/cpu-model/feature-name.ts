/**
 * Names of features in libvirt, by QEMU's where they differ. virQEMUCapsCPUFeatureTranslate() of libvirt
 */
const NAMES: ReadonlyMap<string, string> = new Map([
  ["cmp-legacy", "cmp_legacy"],
  ["ds-cpl", "ds_cpl"],
  ["fxsr-opt", "fxsr_opt"],
  ["lahf-lm", "lahf_lm"],
  ["nodeid-msr", "nodeid_msr"],
  ["pclmulqdq", "pclmuldq"],
  ["perfctr-core", "perfctr_core"],
  ["perfctr-nb", "perfctr_nb"],
  ["tsc-adjust", "tsc_adjust"],
]);

/** Returns libvirt's name of a feature, by QEMU's or by its own. */
export function featureName(name: string): string {
  return NAMES.get(name) ?? name;
}
