import type { XmlNode } from "../../../xml/node.ts";
import { notUnderstood } from "../../../xml/refusal.ts";
import { oneOf } from "../../../xml/value-form.ts";
import type { Contradiction } from "../backends/backend.ts";
import { backendOf } from "../backends/table.ts";
import type { PoolType, SourcePart } from "../pool-types.ts";
import type { PoolSource } from "../source/source.ts";

interface Parts {
  readonly type: PoolType;
  readonly features?: { readonly cow?: object };
  readonly source?: PoolSource;
  readonly target?: { readonly path?: string };
}

/** Element of each part. */
const TAGS: Readonly<Record<SourcePart, string>> = {
  ...{ hosts: "host", devices: "device", dir: "dir", adapter: "adapter", name: "name" },
  initiator: "initiator",
};

/**
 * Refuses a pool without a part that its type needs, or with a contradiction. virStoragePoolDefParseXML() of
 * libvirt
 */
export function refuseIncomplete(pool: Parts, node: XmlNode): void {
  const [lack] = [...listMissing(pool), ...listWrong(pool)];
  if (lack === undefined) return;
  const [place, why, remedy] = lack;
  throw notUnderstood({ node, place }, why, remedy);
}

function listMissing({ source, target, type }: Parts): readonly Contradiction[] {
  const { needed, target: rule } = backendOf(type);
  const lacking = needed.filter((part) => !has(source, part)).map((part) => TAGS[part]);
  const places = lacking.map((tag) => [`source/${tag}`, tag] as const);
  const needsPath = rule === "written" && target?.path === undefined;
  const all = needsPath ? [...places, ["target/path", "path"] as const] : places;
  return all.map(([place, tag]) => [
    place,
    `it is missing, and a pool of type ${type} needs it`,
    `Write <${tag}> there.`,
  ]);
}

function has(source: PoolSource | undefined, part: SourcePart): boolean {
  const value = source?.[part];
  return Array.isArray(value) ? value.length > 0 : value !== undefined;
}

function listWrong({ features, source, type }: Parts): readonly Contradiction[] {
  const { hasCow, listContradictions, sourceFormats } = backendOf(type);
  const format = source?.format?.type;
  const lacks: Contradiction[] = [];
  if (features?.cow !== undefined && !hasCow)
    lacks.push([
      "features/cow",
      "the cow feature may only be used for 'fs' and 'dir' pools",
      "Leave <cow> out of <features>.",
    ]);
  if (sourceFormats !== "none" && format !== undefined && !sourceFormats.values.includes(format)) {
    const { expects } = oneOf(...sourceFormats.values);
    lacks.push(["source/format/@type", `unknown pool format type ${format}`, `Write ${expects}.`]);
  }
  return source === undefined ? lacks : [...lacks, ...listContradictions(source)];
}
