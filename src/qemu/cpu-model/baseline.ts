import type { CpuDescription } from "../../domain/other-documents/cpu-description.ts";
import { SvirtError } from "../../errors.ts";
import { attributesDraft, type Draft, parentDraft, textDraft } from "../../xml/draft.ts";
import type { CpuModels } from "./cpu-models.ts";
import { allFeatures, describedFeatures, featuresOfModel, RUN_BY_X86_64 } from "./described-features.ts";
import { vendorOfModel } from "./vendor.ts";

/** Processor of a named model, with its additional features. */
export interface NamedCpu {
  readonly model: string;
  readonly vendor?: string;
  readonly features: readonly string[];
}

/** Scope of a baseline. */
interface BaselineOptions {
  /** Whether features count only if the emulator can give them to guests on this host. */
  readonly isForHost: boolean;
  readonly isMigratable: boolean;
}

/** Feature with which QEMU moves no guest to another host. unmigratable_flags of QEMU's target/i386/cpu.c */
const UNMIGRATABLE = "invtsc";

/** Version of a model, such as `-v2`, unknown to older libvirt. */
const VERSION = /-v\d+$/;

/**
 * Returns the processor with the features common to all described processors. Throws "failed" if they have
 * different vendors, or if each model of the emulator has another feature; "usage" for a model or feature
 * unknown to the emulator. virCPUx86Baseline() of libvirt
 */
export function baselineCpu(
  descriptions: readonly CpuDescription[],
  models: CpuModels,
  { isForHost, isMigratable }: BaselineOptions,
): NamedCpu {
  refuseOtherArch(descriptions);
  const vendor = commonVendor(descriptions);
  const sets = descriptions.map((description, at) => {
    if (description.model === undefined) throw invalid(`no CPU model specified at index ${at}`);
    return allFeatures(describedFeatures(description, models));
  });
  const [first, ...others] = isForHost ? [...sets, new Set(models.best.features)] : sets;
  if (first === undefined) throw invalid("No CPUs given");
  const features = new Set(others.reduce((both, set) => both.intersection(set), first));
  if (isMigratable) features.delete(UNMIGRATABLE);
  const { isWritten, name } = vendor;
  return nameCpu(models, { features, vendor: name, isWritten });
}

/**
 * Returns the processor with these features by a model: the model with the most features, preferably with a
 * name without a version. Throws "failed" if each model has another feature. x86Decode() of libvirt
 */
export function nameCpu(
  models: CpuModels,
  cpu: {
    readonly features: ReadonlySet<string>;
    readonly vendor: string | undefined;
    /** Whether the vendor is part of the result. */
    readonly isWritten: boolean;
  },
): NamedCpu {
  const { features, isWritten, vendor } = cpu;
  const [model] = models.models
    .filter(({ features: own, name }) => {
      const other = vendorOfModel(name);
      const isAllowed = vendor === undefined || other === undefined || other === vendor;
      return isAllowed && own.every((feature) => features.has(feature));
    })
    .toSorted(
      (one, other) =>
        other.features.length - one.features.length ||
        Number(VERSION.test(one.name)) - Number(VERSION.test(other.name)) ||
        (one.name < other.name ? -1 : 1),
    );
  if (model === undefined) {
    throw new SvirtError("internal error: Cannot find suitable CPU model for given data", {
      kind: "failed",
      from: "CPU",
      remedy: "Leave out the processor with the fewest features.",
    });
  }
  return {
    model: model.name,
    ...(vendor === undefined || !isWritten ? {} : { vendor }),
    features: [...features].filter((feature) => !model.features.includes(feature)).toSorted(),
  };
}

/** Returns the processor with all features of its model listed too. virCPUExpandFeatures() of libvirt */
export function expandCpu(cpu: NamedCpu, models: CpuModels): NamedCpu {
  return { ...cpu, features: [...cpu.features, ...featuresOfModel(models, cpu.model)].toSorted() };
}

/** Formats the processor as a guest's `<cpu>`. virCPUDefFormat() of libvirt */
export function formatNamedCpu({ features, model, vendor }: NamedCpu, fallback: "allow" | "forbid"): Draft {
  const name = textDraft("model", model);
  name.attributes.set("fallback", fallback);
  const draft = parentDraft("cpu", [
    name,
    ...(vendor === undefined ? [] : [textDraft("vendor", vendor)]),
    ...features.map((feature) => attributesDraft("feature", { policy: "require", name: feature })),
  ]);
  draft.attributes.set("mode", "custom").set("match", "exact");
  return draft;
}

/**
 * Returns the vendor of all the processors; it is written only if each description names it. Throws "failed"
 * if there are several.
 */
function commonVendor(descriptions: readonly CpuDescription[]): {
  readonly name: string | undefined;
  readonly isWritten: boolean;
} {
  const vendors = descriptions.map(({ model = "", vendor }) => vendor ?? vendorOfModel(model));
  const [name, ...others] = new Set(vendors.filter((vendor) => vendor !== undefined));
  if (others.length > 0) {
    throw new SvirtError("operation failed: CPU vendors do not match", {
      kind: "failed",
      libvirt: "OPERATION_FAILED",
      from: "CPU",
      remedy: "Compute a baseline for the processors of each vendor.",
    });
  }
  return { name, isWritten: descriptions.every(({ vendor }) => vendor !== undefined) };
}

function refuseOtherArch(descriptions: readonly CpuDescription[]): void {
  const archs = descriptions.flatMap(({ arch }) => arch ?? []);
  const arch = archs.find((name) => !RUN_BY_X86_64.has(name));
  if (arch === undefined) return;
  throw new SvirtError(
    `this function is not supported by the connection driver: cannot compute baseline CPU of ${arch} architecture`,
    {
      kind: "unsupported",
      libvirt: "NO_SUPPORT",
      from: "CPU",
      remedy: "Leave out processors other than those of x86_64.",
    },
  );
}

function invalid(problem: string): SvirtError {
  return new SvirtError(`invalid argument: ${problem}`, {
    kind: "usage",
    from: "CPU",
    remedy: "Describe processors with a <model> each.",
  });
}
