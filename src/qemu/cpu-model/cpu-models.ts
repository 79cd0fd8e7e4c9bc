import * as v from "valibot";
import { SvirtError } from "../../errors.ts";
import { parseAnswer } from "../monitor/parse-answer.ts";
import { answersOf, formatQuestions } from "../monitor/probe-answers.ts";
import type { QmpCommand } from "../monitor/qmp.ts";
import { featureName } from "./feature-name.ts";
import { vendorName } from "./vendor.ts";

/** Name of a feature or model, for XML. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.+-]{0,127}$/;
const aName = v.pipe(v.string(), v.regex(NAME));
// QEMU knows some 9,000 in all, and a schema for each takes 12 times as long.
const features = v.custom<readonly string[]>(
  (value) => Array.isArray(value) && value.every((name) => typeof name === "string" && NAME.test(name)),
  "Invalid name of a processor's feature",
);

/** Models of processors known to an emulator, with their features by libvirt's names. */
export const cpuModels = v.strictObject({
  /** All features known to the emulator. */
  known: features,
  models: v.array(v.strictObject({ name: aName, features })),
  /** The processor with all that the emulator can give a guest on this host. */
  best: v.strictObject({ vendor: v.exactOptional(v.string()), features }),
});
export type CpuModels = v.InferOutput<typeof cpuModels>;

/**
 * Returns the QMP commands for the features of these models, and of the best processor for a type of guests.
 */
export function modelQuestions(names: readonly string[], type: "kvm" | "qemu"): string {
  return formatQuestions(listQuestions(names, type));
}

function listQuestions(names: readonly string[], type: "kvm" | "qemu"): readonly QmpCommand[] {
  const expand = (model: object): QmpCommand => ({
    execute: "query-cpu-model-expansion",
    // The static form has each feature once, and nothing but features, family and vendor.
    // x86_cpu_static_props() of QEMU
    arguments: { type: "static", model },
  });
  return [
    { execute: "qmp_capabilities" },
    expand({ name: type === "kvm" ? "host" : "max", props: { migratable: false } }),
    ...names.map((name) => expand({ name })),
    { execute: "quit" },
  ];
}

const expansion = v.looseObject({
  model: v.looseObject({ props: v.record(v.string(), v.unknown()) }),
});

/**
 * Features between KVM and its guests, which no processor has and libvirt does not count among a processor's.
 */
const PARAVIRTUAL = /^kvm/;

/**
 * Parses the whole output of QEMU to modelQuestions(). Throws "failed" when an answer is missing or
 * unexpected.
 */
export function parseCpuModels(output: string, names: readonly string[]): CpuModels {
  const answers = answersOf(output);
  const propsOf = (id: number, model: string): Readonly<Record<string, unknown>> => {
    if (answers.has(id))
      return parseAnswer(expansion, answers.get(id), "query-cpu-model-expansion").model.props;
    throw new SvirtError(`Cannot query the features of the processor ${model}: QEMU does not describe it`, {
      kind: "failed",
      remedy: "See svirt doctor.",
    });
  };
  const best = propsOf(1, "of the host");
  const vendor = typeof best["vendor"] === "string" ? vendorName(best["vendor"]) : undefined;
  return parseAnswer(
    cpuModels,
    {
      known: listFeatures(best, () => true),
      models: names.map((name, at) => ({ name, features: listFeatures(propsOf(at + 2, name)) })),
      best: { ...(vendor === undefined ? {} : { vendor }), features: listFeatures(best) },
    },
    "query-cpu-model-expansion",
  );
}

function listFeatures(
  props: Readonly<Record<string, unknown>>,
  isMeant = (value: boolean): boolean => value,
): readonly string[] {
  const entries = Object.entries(props).filter(
    ([name, value]) => typeof value === "boolean" && isMeant(value) && !PARAVIRTUAL.test(name),
  );
  return entries.map(([name]) => featureName(name)).toSorted();
}
