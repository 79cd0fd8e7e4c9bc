import type { BackingStore } from "../domain/backing-store.ts";
import { type Disk, isReadOnly } from "../domain/disk.ts";
import type { ChainElement } from "../storage/image-chain.ts";

/** The images of a disk, top first, and whether it is known that nothing comes after the last. */
export interface DiskChain {
  readonly elements: readonly ChainElement[];
  readonly isWhole: boolean;
}

/** What walkChain() found for each disk, by the target's name. */
export type FoundChains = ReadonlyMap<string, readonly ChainElement[]>;

/**
 * The chain of a disk: as found on the host or, where nobody looked, as far as the XML says. An empty drive has none.
 */
export function chainOf(disk: Disk, found: FoundChains | undefined): DiskChain {
  const elements = found?.get(disk.target.dev);
  if (elements !== undefined) return { elements, isWhole: true };
  if (disk.source === undefined) return { elements: [], isWhole: true };
  const top = {
    ...placeOf(disk.source),
    format: disk.driver?.type ?? "raw",
    role: "top",
    readOnly: isReadOnly(disk),
  } as const;
  const { below, isWhole } = belowOf(disk.backingStore);
  return { elements: [top, ...below], isWhole };
}

type Source = { readonly file: string } | { readonly dev: string };

function placeOf(source: Source): Pick<ChainElement, "path" | "storage"> {
  return "file" in source ? { path: source.file, storage: "file" } : { path: source.dev, storage: "block" };
}

function belowOf(store: BackingStore | undefined): {
  readonly below: readonly ChainElement[];
  readonly isWhole: boolean;
} {
  const below: ChainElement[] = [];
  let next = store;
  while (next !== undefined && next.type !== "end") {
    below.push({ ...placeOf(next.source), format: next.format.type, role: "backing", readOnly: true });
    next = next.backingStore;
  }
  return { below, isWhole: next !== undefined };
}
