import type { CpuDescription } from "../../domain/other-documents/cpu-description.ts";
import { SvirtError } from "../../errors.ts";
import { UNKNOWN_FEATURES } from "../machine/removed-features.ts";
import type { CpuModels } from "./cpu-models.ts";
import { featureName } from "./feature-name.ts";

/** Architectures with guests on a processor of x86_64. */
export const RUN_BY_X86_64: ReadonlySet<string> = new Set(["x86_64", "i686"]);

type Policy = CpuDescription["features"][number]["policy"];

/** Features of a described processor, by libvirt's names. */
export interface DescribedFeatures {
  /** Features of its model. */
  readonly ofModel: ReadonlySet<string>;
  /** Features listed in the description, by their policies. */
  readonly listed: Readonly<Record<Policy, ReadonlySet<string>>>;
}

/**
 * Returns the features of a described processor. Features impossible for QEMU's guests are left out: libvirt
 * does not pass them to QEMU either. Throws "usage" for a model or feature unknown to the emulator, "xml" for
 * a feature listed by two names.
 */
export function describedFeatures(description: CpuDescription, models: CpuModels): DescribedFeatures {
  const listed: Record<Policy, Set<string>> = {
    force: new Set(),
    require: new Set(),
    optional: new Set(),
    disable: new Set(),
    forbid: new Set(),
  };
  const known = new Set(models.known);
  for (const { name: written, policy } of description.features) {
    const name = featureName(written);
    if (UNKNOWN_FEATURES.has(name)) continue;
    if (!known.has(name)) throw unknown("feature", written);
    // The form of the XML finds a repeated name, but not two names of a feature.
    if (Object.values(listed).some((names) => names.has(name))) throw listedTwice(name);
    listed[policy].add(name);
  }
  const { model } = description;
  return { ofModel: model === undefined ? new Set() : new Set(featuresOfModel(models, model)), listed };
}

/** Returns the features of a model. Throws "usage" for a model unknown to the emulator. */
export function featuresOfModel({ models }: CpuModels, model: string): readonly string[] {
  const found = models.find(({ name }) => name === model);
  if (found === undefined) throw unknown("model", model);
  return found.features;
}

/** Returns the features of a guest with this processor. x86ModelFromCPU() of libvirt, for any policy */
export function allFeatures({ listed, ofModel }: DescribedFeatures): ReadonlySet<string> {
  const { disable, forbid, force, optional, require } = listed;
  return new Set([...ofModel, ...force, ...require, ...optional]).difference(disable.union(forbid));
}

// Error of virCPUDefParseXML() of libvirt
function listedTwice(name: string): SvirtError {
  return new SvirtError(`XML error: CPU feature '${name}' specified more than once`, {
    kind: "xml",
    from: "CPU",
    remedy: "List it once, by one of its names.",
  });
}

// Error of x86ModelFromCPU() of libvirt
function unknown(what: "model" | "feature", name: string): SvirtError {
  return new SvirtError(`internal error: Unknown CPU ${what} ${name}`, {
    kind: "usage",
    libvirt: "INTERNAL_ERROR",
    from: "CPU",
    remedy:
      what === "model"
        ? "List the models that QEMU knows: svirt cpu-models x86_64"
        : "Leave the feature out.",
  });
}
