import type { ValueForm } from "../../xml/value-form.ts";

/** Numbers in ascending order, each once. */
export type IdSet = readonly number[];

/** The host's processors, or the guest's. VIR_DOMAIN_CPUMASK_LEN of libvirt */
export const cpuSet = idSet(16_383);

/** The host's NUMA nodes, as many as QEMU can be told. MAX_NODES in qemu.git include/sysemu/numa.h */
export const hostNodes = idSet(127);

/** The guest's NUMA nodes, as many as QEMU makes. */
export const guestNodes = idSet(127);

/** `0-3,^2` ⇄ numbers up to `most`; written in its shortest form. virBitmapParse() and virBitmapFormat() of libvirt */
function idSet(most: number): ValueForm<IdSet> {
  return {
    expects: `numbers from 0 to ${most} such as "0-3,^2"`,
    decode: (text) => decodeIds(text, most),
    encode: formatIds,
  };
}

/** The set's ranges, each as its first and last number. */
export function listRanges(ids: IdSet): readonly (readonly [first: number, last: number])[] {
  const ranges: [number, number][] = [];
  for (const id of ids) {
    const range = ranges.at(-1);
    if (range !== undefined && range[1] === id - 1) range[1] = id;
    else ranges.push([id, id]);
  }
  return ranges;
}

/** A range in words, `2` or `0-3`. */
export function formatRange([first, last]: readonly [first: number, last: number]): string {
  return first === last ? String(first) : `${first}-${last}`;
}

/** The numbers that stand in both. */
export function commonIds(one: IdSet, other: IdSet): IdSet {
  const known = new Set(other);
  return one.filter((id) => known.has(id));
}

function formatIds(ids: IdSet): string {
  return listRanges(ids).map(formatRange).join(",");
}

// What follows takes from or adds to what stood before it.
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
