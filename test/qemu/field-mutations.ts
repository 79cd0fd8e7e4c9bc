import type { Devices } from "../../src/domain/devices.ts";
import type { Domain } from "../../src/domain/domain.ts";
import { ELEMENTS, FAMILIES, type Family, listFamily } from "../../src/domain/families.ts";

/** A domain with one device, and the changes of each field of the device. */
export interface Specimen {
  readonly domain: Domain;
  readonly mutations: readonly Mutation[];
}

/** A specimen whose parts can be left out one by one if they are refused, since they hide the others. */
export interface PrunableSpecimen extends Specimen {
  /** Returns the specimen without the refused parts, or nothing if no part is refused. */
  prune(refusalOf: (domain: Domain) => string | undefined): Specimen | undefined;
}

/** A change of one field. */
export interface Mutation {
  /** Element and the names of the field: `disk.driver.cache`. */
  readonly field: string;
  /** The domain in which the field has another value, or is absent. */
  make(): Domain;
}

type Key = string | number;
type Value = Readonly<Record<Key, unknown>>;

/**
 * Each device of the documents, alone with the devices of each of the domains: a refusal of another device
 * must not hide its fields. Equal devices are listed once.
 */
export function listSpecimens(
  documents: readonly Domain[],
  around: readonly Domain[],
): readonly PrunableSpecimen[] {
  const known = new Set<string>();
  return documents.flatMap(({ devices }) =>
    FAMILIES.flatMap((family) =>
      listFamily(devices, family).flatMap((whole) => {
        const text = `${family} ${JSON.stringify(whole)}`;
        if (known.has(text)) return [];
        known.add(text);
        return around.map((domain) => {
          const put = (device: unknown): Domain => withOnly(domain, family, device);
          return {
            ...specimenOf(family, whole, put),
            prune: (refusalOf: (domain: Domain) => string | undefined) => {
              const pruned = prune(whole, (device) => refusalOf(put(device)));
              return pruned === whole ? undefined : specimenOf(family, pruned, put);
            },
          };
        });
      }),
    ),
  );
}

/** Each device of a domain among its others: one that refers to another device is refused without that. */
export function listInPlace(domain: Domain): readonly PrunableSpecimen[] {
  return FAMILIES.flatMap((family) => {
    const { [family]: all } = domain.devices;
    return listFamily(domain.devices, family).map((device, index) => ({
      ...specimenOf(family, device, (other) =>
        withFamily(domain, family, Array.isArray(all) ? all.with(index, other) : other),
      ),
      prune: () => undefined,
    }));
  });
}

function specimenOf(family: Family, device: unknown, put: (device: unknown) => Domain): Specimen {
  return {
    domain: put(device),
    mutations: listLeaves(device).flatMap(({ keys, value }) => {
      const field = [ELEMENTS[family], ...keys.filter((key) => typeof key === "string")].join(".");
      return [...othersOf(value), undefined].map((other) => ({
        field,
        make: () => put(change(device, keys, other)),
      }));
    }),
  };
}

/** Leaves out parts as long as that changes the refusal, those that it names first. */
function prune(device: unknown, refusalOf: (device: unknown) => string | undefined): unknown {
  const refusal = refusalOf(device);
  if (refusal === undefined) return device;
  const isNamed = (keys: readonly Key[]): boolean => refusal.includes(String(keys.at(-1)));
  const parts = listParts(device);
  const groups = [parts.filter(isNamed), parts.filter((keys) => !isNamed(keys))];
  for (const group of groups) {
    const others = group.map((keys) => {
      const smaller = change(device, keys, undefined);
      return { smaller, refusal: refusalOf(smaller) };
    });
    const next =
      others.find((other) => other.refusal === undefined) ??
      others.find((other) => other.refusal !== refusal && !other.refusal?.startsWith("TypeError"));
    if (next !== undefined) return prune(next.smaller, refusalOf);
  }
  return device;
}

function listParts(device: unknown): readonly (readonly Key[])[] {
  const keysOf = (value: unknown): readonly string[] =>
    typeof value === "object" && value !== null && !Array.isArray(value) ? Object.keys(value) : [];
  const keep = new Set(["type", "target", "source", "backend", "model"]);
  return keysOf(device).flatMap((key): (readonly Key[])[] => {
    const inner = keysOf((device as Value)[key]).map((second) => [key, second]);
    return keep.has(key) ? inner : [[key], ...inner];
  });
}

function withOnly(domain: Domain, family: Family, device: unknown): Domain {
  return withFamily(domain, family, Array.isArray(domain.devices[family]) ? [device] : device);
}

function withFamily(domain: Domain, family: Family, devices: unknown): Domain {
  return { ...domain, devices: { ...domain.devices, [family]: devices } };
}

/** The domain without devices, except those that are given. */
export function withoutDevices(domain: Domain, devices: Partial<Devices> = {}): Domain {
  const none = Object.entries(domain.devices).flatMap(([key, value]) =>
    Array.isArray(value) ? [[key, []]] : [],
  );
  return { ...domain, devices: { ...Object.fromEntries(none), ...devices } as Devices };
}

interface Leaf {
  readonly keys: readonly Key[];
  readonly value: unknown;
}

/** Values that contain no other value. */
function listLeaves(value: unknown, keys: readonly Key[] = []): readonly Leaf[] {
  if (Array.isArray(value)) return value.flatMap((one, index) => listLeaves(one, [...keys, index]));
  if (typeof value !== "object" || value === null) return value === undefined ? [] : [{ keys, value }];
  const entries = Object.entries(value);
  return entries.length === 0
    ? [{ keys, value }]
    : entries.flatMap(([key, inner]) => listLeaves(inner, [...keys, key]));
}

/** Other values of the type. They need not be valid: code that reads the field takes notice. */
function othersOf(value: unknown): readonly unknown[] {
  switch (typeof value) {
    case "string":
      return [`${value}x`, "1"];
    case "number":
      return [value + 1, value * 1024 + 1024];
    case "bigint":
      return [value + 1n];
    case "boolean":
      return [!value];
    default:
      return [];
  }
}

function change(value: unknown, [key, ...rest]: readonly Key[], other: unknown): unknown {
  if (key === undefined) return other;
  const inner = change((value as Value)[key], rest, other);
  if (Array.isArray(value)) {
    return inner === undefined ? value.toSpliced(Number(key), 1) : value.with(Number(key), inner);
  }
  const { [key]: _, ...others } = value as Value;
  return inner === undefined ? others : { ...others, [key]: inner };
}
