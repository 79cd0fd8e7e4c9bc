import type { Permissions } from "../permissions.ts";
import { backendOf } from "./backends/table.ts";
import type { WrittenPool } from "./forms/pool.ts";
import { type PoolType, SOURCE_PARTS } from "./pool-types.ts";
import { sanitizePath } from "./sanitize-path.ts";
import type { PoolSource } from "./source/source.ts";

/** Storage pool, with its parts kept by libvirt. */
export type Pool = Omit<WrittenPool, "source" | "target" | `${string}Bytes`> & {
  readonly source: PoolSource;
  readonly target?: PoolTarget;
};

/** Place of a pool's volumes on the host. */
export interface PoolTarget {
  readonly path: string;
  readonly permissions?: Permissions;
}

const NO_SOURCE: PoolSource = { hosts: [], devices: [] };
/**
 * Returns the pool as libvirt keeps it: without sizes, known only to the storage, and without parts unknown
 * to its type; with the default format, and with the source's name and the target given by its type.
 * virStoragePoolDefParseXML() and virStoragePoolDefFormatBuf() of libvirt
 */
export function keepPool(written: WrittenPool): Pool {
  const { features, mountOptions, name, rbdOptions, refresh, source, target, type, uuid } = written;
  const { options } = backendOf(type);
  const kept = keepSource(source ?? NO_SOURCE, type, name);
  const place = keepTarget(target, type, kept);
  return {
    type,
    name,
    ...(uuid === undefined ? {} : { uuid }),
    ...(features?.cow === undefined ? {} : { features }),
    source: kept,
    ...(place === undefined ? {} : { target: place }),
    ...(refresh?.volume?.allocation === undefined ? {} : { refresh }),
    ...(options === "mount" && hasOptions(mountOptions) ? { mountOptions } : {}),
    ...(options === "ceph" && hasOptions(rbdOptions) ? { rbdOptions } : {}),
  };
}

function hasOptions(found: { readonly options: readonly unknown[] } | undefined): boolean {
  return found !== undefined && found.options.length > 0;
}

function keepSource(source: PoolSource, type: PoolType, name: string): PoolSource {
  const { parts, sourceFormats, standardDir } = backendOf(type);
  const { dir, format, hosts, ...rest } = source;
  const path = dir?.path ?? (standardDir === "none" ? undefined : standardDir.path);
  const whole: PoolSource = {
    ...rest,
    hosts: hosts.map(({ port, ...one }) => ({ ...one, ...(port ? { port } : {}) })),
    ...(path === undefined ? {} : { dir: { path: sanitizePath(path) } }),
    name: source.name ?? name,
  };
  const others = new Set<string>(SOURCE_PARTS.filter((part) => !parts.includes(part)));
  return {
    ...NO_SOURCE,
    ...Object.fromEntries(Object.entries(whole).filter(([part]) => !others.has(part))),
    ...(sourceFormats === "none" ? {} : { format: format ?? { type: sourceFormats.standard } }),
  };
}

function keepTarget(
  target: WrittenPool["target"],
  type: PoolType,
  source: PoolSource,
): PoolTarget | undefined {
  const { target: rule } = backendOf(type);
  if (rule === "none") return undefined;
  const path = rule === "written" ? target?.path : `${rule.within}/${source.name}`;
  if (path === undefined) return undefined;
  const { permissions = {} } = target ?? {};
  const isGranted = Object.keys(permissions).length > 0;
  return { path: sanitizePath(path), ...(isGranted ? { permissions } : {}) };
}
