/** Names of vendors in libvirt, by the processor's names. src/cpu_map/x86_vendors.xml of libvirt */
const VENDORS: ReadonlyMap<string, string> = new Map([
  ["GenuineIntel", "Intel"],
  ["AuthenticAMD", "AMD"],
  ["HygonGenuine", "Hygon"],
]);

const MODELS: readonly (readonly [vendor: string, names: RegExp])[] = [
  ["AMD", /^(?:athlon|EPYC|Opteron|phenom)/],
  ["Hygon", /^Dhyana/],
  [
    "Intel",
    /^(?:core(?:2)?duo|n270|Conroe|Penryn|Nehalem|Westmere|SandyBridge|IvyBridge|Haswell|Broadwell|Skylake|Cascadelake|Cooperlake|Icelake|SapphireRapids|GraniteRapids|SierraForest|ClearwaterForest|Snowridge|Denverton|KnightsMill)/,
  ],
];

/** Returns libvirt's name of a processor's reported vendor. cpuid(4) */
export function vendorName(id: string): string | undefined {
  return VENDORS.get(id);
}

/** Returns the vendor of a model by the model's name; undefined without a vendor. */
export function vendorOfModel(model: string): string | undefined {
  return MODELS.find(([, names]) => names.test(model))?.[0];
}
