import * as v from "valibot";
import { parseAnswer } from "./parse-answer.ts";

const schemas = v.array(
  v.looseObject({
    provider: v.string(),
    target: v.string(),
    stats: v.array(v.looseObject({ name: v.string(), type: v.string() })),
  }),
);
const results = v.array(
  v.looseObject({
    provider: v.string(),
    "qom-path": v.exactOptional(v.string()),
    stats: v.array(v.looseObject({ name: v.string(), value: v.unknown() })),
  }),
);

/**
 * libvirt's suffix for each type of value. Histograms have none and are omitted. qemu.git qapi/stats.json
 * StatsType
 */
const ENDINGS: ReadonlyMap<string, string> = new Map([
  ["cumulative", "sum"],
  ["instant", "cur"],
  ["peak", "max"],
]);

/** Counters of KVM for a vCPU or the machine: `["exits.sum", 12]`. */
export type KvmStatistics = readonly (readonly [name: string, value: number | string])[];

/**
 * Parses the answers of query-stats-schemas and query-stats, by QOM path. The machine's path is "". Empty
 * without KVM. Throws "failed".
 */
export function parseKvmStatistics(
  schema: unknown,
  answer: unknown,
  target: "vm" | "vcpu",
): ReadonlyMap<string, KvmStatistics> {
  const types = new Map(
    parseAnswer(schemas, schema, "query-stats-schemas")
      .filter((found) => found.provider === "kvm" && found.target === target)
      .flatMap(({ stats }) => stats.map(({ name, type }) => [name, type] as const)),
  );
  const found = parseAnswer(results, answer, "query-stats").filter(({ provider }) => provider === "kvm");
  return new Map(found.map(({ stats, "qom-path": path }) => [path ?? "", listCounted(stats, types)]));
}

function listCounted(
  stats: v.InferOutput<typeof results>[number]["stats"],
  types: ReadonlyMap<string, string>,
): KvmStatistics {
  return stats.flatMap(({ name, value }) => {
    const ending = ENDINGS.get(types.get(name) ?? "");
    const shown = typeof value === "boolean" ? YES_NO[Number(value)] : value;
    if (ending === undefined || (typeof shown !== "number" && typeof shown !== "string")) return [];
    return [[`${name}.${ending}`, shown] as const];
  });
}

const YES_NO = ["no", "yes"];
