import { backendOf } from "../backends/table.ts";
import type { Pool } from "../stored-pool.ts";

/**
 * Whether two pools have the same source: libvirt refuses the second. virStoragePoolObjSourceFindDuplicate()
 * of libvirt
 */
export function hasSameSource(one: Pool, other: Pool): boolean {
  const [mine, theirs] = [backendOf(one.type), backendOf(other.type)];
  if (mine.takesDevices && theirs.takesDevices && sharesDevice(one, other)) return true;
  return one.type === other.type && mine.isSameSource(one, other);
}

/** Whether the target of a pool with files is that of the other, inside of it or around it. */
export function hasTargetWithin(one: Pool, other: Pool): boolean {
  const [mine, theirs] = [folderOf(one), folderOf(other)];
  if (mine === undefined || theirs === undefined) return false;
  return `${mine}/`.startsWith(`${theirs}/`) || `${theirs}/`.startsWith(`${mine}/`);
}

function folderOf({ target, type }: Pool): string | undefined {
  return backendOf(type).volumes === "files" ? target?.path : undefined;
}

function sharesDevice(one: Pool, other: Pool): boolean {
  const paths = new Set(one.source.devices.map(({ path }) => path));
  return other.source.devices.some(({ path }) => paths.has(path));
}
