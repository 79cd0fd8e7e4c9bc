import type { Devices } from "./devices.ts";

/**
 * Family of devices: a key of `<devices>`. Each table by family has an entry for every family, or does not
 * compile.
 */
export type Family = Exclude<keyof Devices, "emulator">;

/** The devices of a family: a list, or a single device. */
type DevicesOf<F extends Family> = NonNullable<Devices[F]>;

/** Device of a family. */
export type DeviceOf<F extends Family> = F extends Family
  ? DevicesOf<F> extends readonly (infer D)[]
    ? D
    : DevicesOf<F>
  : never;

/** Entry of a family without needs in a table, or covered by another family's entry. */
export type NoEntry = "none" | `with ${Family}`;

/** Table by family with entries of one type. */
export type ByFamily<Entry> = Readonly<Record<Family, Entry | NoEntry>>;

/** Families with an entry of their own in a table. */
export type EntryOf<Table> = Extract<
  { [F in keyof Table]: Table[F] extends NoEntry ? never : F }[keyof Table],
  string
>;

/** Table of functions by family. Each returns replacements of the family's devices. */
export type FamilyChanges<Facts> = {
  readonly [F in Family]: ((found: DevicesOf<F>, facts: Facts) => DevicesOf<F>) | "none";
};

/**
 * Name of each family's element. A family without a name does not compile, nor does a name without a family.
 */
export const ELEMENTS = {
  disks: "disk",
  controllers: "controller",
  leases: "lease",
  filesystems: "filesystem",
  interfaces: "interface",
  smartcards: "smartcard",
  serials: "serial",
  parallels: "parallel",
  consoles: "console",
  channels: "channel",
  inputs: "input",
  tpms: "tpm",
  graphics: "graphics",
  sounds: "sound",
  audios: "audio",
  videos: "video",
  hostdevs: "hostdev",
  redirdevs: "redirdev",
  redirfilter: "redirfilter",
  hubs: "hub",
  watchdogs: "watchdog",
  memballoon: "memballoon",
  rngs: "rng",
  panics: "panic",
  shmems: "shmem",
  iommu: "iommu",
  vsock: "vsock",
  cryptos: "crypto",
  pstore: "pstore",
  memories: "memory",
} as const satisfies Readonly<Record<Family, string>>;

/** Families in the order of the declarations. */
export const FAMILIES: readonly Family[] = Object.keys(ELEMENTS).filter(isFamily);

/** Whether the word is the key of a family. */
function isFamily(word: string): word is Family {
  return Object.hasOwn(ELEMENTS, word);
}

/**
 * Returns a function from an order of all `Key`s to the order itself. An incomplete order does not compile:
 * the error names the missing keys.
 */
export function orderOf<Key extends string>() {
  return <const Order extends readonly Key[]>(
    order: Order &
      ([Key] extends [Order[number]] ? unknown : { readonly missing: Exclude<Key, Order[number]> }),
  ): readonly Key[] => order;
}

/** Returns the entries of a table in an order of its keys, without the keys that have none of their own. */
export function entriesIn<Key extends string, Entry extends object>(
  table: Readonly<Record<Key, Entry | NoEntry>>,
  order: readonly Key[],
): readonly Entry[] {
  return order.map((key): Entry | NoEntry => table[key]).filter(isEntry);
}

function isEntry<Entry extends object>(entry: Entry | NoEntry): entry is Entry {
  return typeof entry !== "string";
}

/** Returns the devices of a family as a list. */
export function listFamily<F extends Family>(devices: Devices, family: F): readonly DeviceOf<F>[] {
  const found: Devices[F] = devices[family];
  if (found === undefined) return [];
  return (Array.isArray(found) ? found : [found]) as readonly DeviceOf<F>[];
}

/** Returns the devices, each family changed by its function in the table. An absent device stays absent. */
export function changeFamilies<Facts>(devices: Devices, table: FamilyChanges<Facts>, facts: Facts): Devices {
  return FAMILIES.reduce((before, family) => changeFamily(before, family, { table, facts }), devices);
}

function changeFamily<Facts, F extends Family>(
  devices: Devices,
  family: F,
  { facts, table }: { readonly table: FamilyChanges<Facts>; readonly facts: Facts },
): Devices {
  const found = devices[family];
  const change: FamilyChanges<Facts>[F] = table[family];
  if (found === undefined || change === "none") return devices;
  return { ...devices, [family]: change(found as DevicesOf<F>, facts) };
}
