import type { ValueForm } from "../../xml/value-form.ts";

/** Numbers in ascending order, without duplicates. */
export type IdSet = readonly number[];

/** Processors of the host or of the guest. VIR_DOMAIN_CPUMASK_LEN of libvirt */
export const cpuSet = idSet(16_383);

/** NUMA nodes of the host, up to QEMU's limit. MAX_NODES in qemu.git include/sysemu/numa.h */
export const hostNodes = idSet(127);

/** NUMA nodes of the guest, up to QEMU's limit. */
export const guestNodes = idSet(127);

/**
 * Form of a set, `0-3,^2` ⇄ numbers up to `most`; written in its shortest form. virBitmapParse() and
 * virBitmapFormat() of libvirt
 */
function idSet(most: number): ValueForm<IdSet> {
  return {
    expects: `numbers from 0 to ${most} such as "0-3,^2"`,
    decode: (text) => decodeIds(text, most),
    encode: formatIds,
  };
}

/** Returns the set's ranges, each as its first and last number. */
export function listRanges(ids: IdSet): readonly (readonly [first: number, last: number])[] {
  const ranges: [number, number][] = [];
  for (const id of ids) {
    const range = ranges.at(-1);
    if (range !== undefined && range[1] === id - 1) range[1] = id;
    else ranges.push([id, id]);
  }
  return ranges;
}

/** Returns a range as text, `2` or `0-3`. */
export function formatRange([first, last]: readonly [first: number, last: number]): string {
  return first === last ? String(first) : `${first}-${last}`;
}

/** Returns the numbers in both sets. */
export function commonIds(one: IdSet, other: IdSet): IdSet {
  const known = new Set(other);
  return one.filter((id) => known.has(id));
}

function formatIds(ids: IdSet): string {
  return listRanges(ids).map(formatRange).join(",");
}

// Each part adds to, or removes from, the result of the parts before it.
function decodeIds(text: string, most: number): IdSet | undefined {
  const ids = new Set<number>();
  for (const part of text.trim().split(",")) {
    const found = /^\s*(?:(\d{1,6})(?:-(\d{1,6}))?|\^(\d{1,6}))\s*$/.exec(part);
    if (found === null) return undefined;
    const [, first, last = first, taken] = found;
    if (taken !== undefined) ids.delete(Number(taken));
    else if (!addRange(ids, [Number(first), Number(last)], most)) return undefined;
  }
  return ids.size === 0 ? undefined : [...ids].toSorted((one, other) => one - other);
}

function addRange(ids: Set<number>, [first, last]: readonly [number, number], most: number): boolean {
  for (let id = first; id <= last && last <= most; id += 1) ids.add(id);
  return first <= last && last <= most;
}
