import type { Domain } from "../domain/domain.ts";
import type { Features } from "../domain/features.ts";

/** A feature that is written without its state is on. virDomainFeaturesDefParse() of libvirt */
export function fillFeatures({ features }: Domain): Pick<Domain, "features"> {
  if (features === undefined) return {};
  return {
    features: {
      ...features,
      ...on(features, "pvspinlock"),
      ...on(features, "pmu"),
      ...on(features, "vmport"),
      ...on(features, "vmcoreinfo"),
      ...(features.smm === undefined ? {} : { smm: { ...features.smm, state: features.smm.state ?? true } }),
    },
  };
}

function on<K extends "pvspinlock" | "pmu" | "vmport" | "vmcoreinfo">(
  features: Features,
  name: K,
): Pick<Features, K> | undefined {
  const found = features[name];
  return found === undefined ? undefined : ({ [name]: { state: found.state ?? true } } as Pick<Features, K>);
}
