import type { XmlNode } from "../../../xml/node.ts";
import { notUnderstood } from "../../../xml/refusal.ts";
import { oneOf } from "../../../xml/value-form.ts";
import { POOL_TYPE_FACTS, type PoolType, type SourcePart } from "../pool-types.ts";
import type { PoolSource } from "./source.ts";

interface Parts {
  readonly type: PoolType;
  readonly features?: { readonly cow?: object };
  readonly source?: PoolSource;
  readonly target?: { readonly path?: string };
}

/** Place, and reason of its refusal. */
type Lack = readonly [place: string, why: string, remedy: string];

/** Parts of a source without which libvirt refuses a pool of a type that has them. */
const NEEDED: readonly (readonly [SourcePart, string])[] = [
  ["hosts", "host"],
  ["dir", "dir"],
  ["adapter", "adapter"],
];

/** Refuses a pool without a part that its type needs, or with a contradiction. virStoragePoolDefParseXML() of libvirt */
export function refuseIncomplete(pool: Parts, node: XmlNode): void {
  const [lack] = [...listMissing(pool), ...listWrong(pool)];
  if (lack === undefined) return;
  const [place, why, remedy] = lack;
  throw notUnderstood({ node, place }, why, remedy);
}

function listMissing({ source, target, type }: Parts): readonly Lack[] {
  const { isRemote, parts, targetWithin } = POOL_TYPE_FACTS[type];
  const needed = NEEDED.filter(([part]) => parts.includes(part) && !(part === "dir" && type === "gluster"));
  const lacking = needed.filter(([part]) => !has(source, part)).map(([, tag]) => tag);
  // The only part of a type is mandatory.
  if (parts.length === 1 && parts[0] === "devices" && !has(source, "devices")) lacking.push("device");
  if (type === "iscsi-direct" && source?.initiator === undefined) lacking.push("initiator");
  if (type === "rbd" && source?.name === undefined) lacking.push("name");
  const places = lacking.map((tag) => [`source/${tag}`, tag] as const);
  const needsPath = isRemote !== true && targetWithin === undefined && target?.path === undefined;
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

function listWrong({ features, source, type }: Parts): readonly Lack[] {
  const { sourceFormats } = POOL_TYPE_FACTS[type];
  const format = source?.format?.type;
  const lacks: Lack[] = [];
  if (features?.cow !== undefined && type !== "fs" && type !== "dir")
    lacks.push([
      "features/cow",
      "the cow feature may only be used for 'fs' and 'dir' pools",
      "Leave <cow> out of <features>.",
    ]);
  if (sourceFormats !== undefined && format !== undefined && !sourceFormats.values.includes(format)) {
    const { expects } = oneOf(...sourceFormats.values);
    lacks.push(["source/format/@type", `unknown pool format type ${format}`, `Write ${expects}.`]);
  }
  const isVersioned = type !== "netfs" || format === undefined || format === "auto" || format === "nfs";
  if (source?.protocol !== undefined && !isVersioned)
    lacks.push([
      "source/protocol",
      `storage pool protocol ver unsupported for pool type '${format}'`,
      "Leave <protocol> out of <source>.",
    ]);
  return lacks;
}
