import { SvirtError } from "../../errors.ts";
import { canonicalAddress, familyOf } from "../address/ip-address.ts";
import type { Field } from "./filter-rule.ts";
import { FILTERS } from "./filters.ts";
import {
  type ChainRule,
  type CollectedRules,
  collectRules,
  type FindFilter,
  findBuiltIn,
  listVariables,
  variableOf,
} from "./instance.ts";

/** Variable of a filter with its values. A rule with it matches each of them. */
export interface FilterVariable {
  readonly name: string;
  readonly values: readonly string[];
}

/** `<filterref>` of an interface. */
interface FilterReference {
  readonly filter: string;
  readonly parameters: readonly { readonly name: string; readonly value: string }[];
}

/** An interface with a filter, as messages name it. */
interface FilteredInterface {
  readonly mac: string;
  readonly place: string;
}

/** Form of a field's values. */
type Form = "MAC address" | "IPv4 address" | "IPv6 address";

const MAC = /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/;

/** A filter for an interface: its rules, and the values of their variables. */
export interface ReadFilter extends CollectedRules {
  readonly variables: readonly FilterVariable[];
}

/** Returns the variables of a filter of libvirt's own with their values. Throws as readFilter(). */
export function readVariables(reference: FilterReference, at: FilteredInterface): readonly FilterVariable[] {
  return readFilter(reference, at, findBuiltIn).variables;
}

/**
 * Returns the rules of a filter, and the variables with their values, of which `MAC` is the interface's own
 * unless a parameter replaces it. Other parameters are ignored. Throws "not-found" for an unknown filter;
 * "unsupported" for a variable without a value, and for a value of another form than the rules need; and as
 * collectRules(). virNWFilterDoInstantiate() of libvirt
 */
export function readFilter(
  { filter, parameters }: FilterReference,
  { mac, place }: FilteredInterface,
  find: FindFilter,
): ReadFilter {
  if (find(filter) === undefined) throw unknown(filter, place);
  const collected = collectRules(filter, find);
  const given = new Map<string, readonly string[]>([["MAC", [mac]]]);
  for (const name of new Set(parameters.map((parameter) => parameter.name))) {
    given.set(
      name,
      parameters.filter((parameter) => parameter.name === name).map(({ value }) => value),
    );
  }
  const variables = listVariables(collected.rules);
  refuseMissing(
    [...variables.keys()].filter((name) => !given.has(name)),
    given,
    { filter, place },
  );
  const values = [...variables].map(([name, fields]) => ({
    name,
    values: readValues(name, given.get(name) ?? [], { fields, place }),
  }));
  refuseLists(collected.rules, values, place);
  return { ...collected, variables: values };
}

/**
 * Throws "unsupported" for several values of a variable in a rule with a match for every frame, since a frame
 * differs from any of them, or with two fields compared to it. libvirt makes a rule for each value.
 */
function refuseLists(rules: readonly ChainRule[], variables: readonly FilterVariable[], place: string): void {
  const lists = new Set(variables.filter(({ values }) => values.length > 1).map(({ name }) => name));
  for (const { rule } of rules) {
    const used = (rule.match ?? []).flatMap(([, value]) => variableOf(value) ?? []);
    const [found] = used.filter(
      (name, at) => lists.has(name) && (rule.isNegated === true || used.indexOf(name) !== at),
    );
    if (found === undefined) continue;
    const why =
      rule.isNegated === true ? "a rule with match='no' compares a field" : "a rule compares two fields";
    throw new SvirtError(
      `Cannot filter the frames of the interface: ${why} with ${found}, which has several values`,
      {
        kind: "unsupported",
        place: `${place}/parameter`,
        remedy: `Write only one <parameter name='${found}' value='…'/>, or change the filter.`,
      },
    );
  }
}

function unknown(filter: string, place: string): SvirtError {
  return new SvirtError(`Network filter not found: Could not find filter '${filter}'`, {
    kind: "not-found",
    libvirt: "NO_NWFILTER",
    place: `${place}/@filter`,
    remedy: `Define it: svirt nwfilter-define. Or write one of ${[...FILTERS.keys()].join(", ")}.`,
  });
}

function refuseMissing(
  missing: readonly string[],
  given: ReadonlyMap<string, readonly string[]>,
  { filter, place }: { readonly filter: string; readonly place: string },
): void {
  const names = missing.join(", ");
  if (names === "") return;
  const elements = missing.map((name) => `<parameter name='${name}' value='…'/>`).join(" and ");
  const remedy = `Write ${elements} into <filterref>.`;
  const [learning = "any"] = given.get("CTRL_IP_LEARNING") ?? [];
  if (names === "IP" && learning.toLowerCase() !== "none") {
    throw new SvirtError(
      `Cannot learn the IP address of the guest for filter '${filter}': svirt has no daemon that reads the guest's frames`,
      { kind: "unsupported", place, remedy },
    );
  }
  throw new SvirtError(
    `internal error: Cannot instantiate filter due to unresolvable variables or unavailable list elements: ${names}`,
    { kind: "unsupported", libvirt: "INTERNAL_ERROR", place, remedy },
  );
}

function readValues(
  name: string,
  values: readonly string[],
  { fields, place }: { readonly fields: readonly Field[]; readonly place: string },
): readonly string[] {
  const forms = new Set(fields.map(formOf));
  return values.map((text) => {
    const value = MAC.test(text.toLowerCase()) ? text.toLowerCase() : canonicalAddress(text);
    const form = value === undefined ? undefined : formOfValue(value);
    if (value !== undefined && [...forms].every((wanted) => wanted === form)) return value;
    throw new SvirtError(
      `Cannot filter the frames of the interface: ${name} '${text}' is no ${[...forms].join(" and ")}`,
      {
        kind: "unsupported",
        place: `${place}/parameter`,
        remedy: `Correct <parameter name='${name}' value='…'/>.`,
      },
    );
  });
}

function formOfValue(value: string): Form {
  if (MAC.test(value)) return "MAC address";
  return familyOf(value) === "ipv4" ? "IPv4 address" : "IPv6 address";
}

function formOf(field: Field): Form {
  if (field.includes("IPv4")) return "IPv4 address";
  return field.includes("IPv6") ? "IPv6 address" : "MAC address";
}
