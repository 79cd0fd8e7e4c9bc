import { parseDomainText } from "../../domain/document.ts";
import type { Domain } from "../../domain/domain.ts";
import { selinuxSeclabel } from "../../domain/machine/selinux-seclabel.ts";
import { readPolicyFacts } from "../../report/policy-facts.ts";
import { availableLevel, rangesFor } from "../../selinux/category-pairs.ts";
import { parseContextOrUndefined } from "../../selinux/context.ts";
import type { AuditedMachine } from "../../selinux/denials/denial.ts";
import { pairOf } from "../../selinux/level.ts";
import { type Definition, listDefinitionNames, readDefinition } from "../../state/definitions.ts";
import type { Node } from "../../state/instance.ts";
import { type GuestRecord, isRunning, readRecords } from "../../state/record.ts";

/** A guest that a denial may be about. */
export interface KnownGuest {
  readonly name: string;
  readonly uuid: string | undefined;
  /** "ended": its record is still there; "shut off": it has the level as its preferred or its static one. */
  readonly state: "running" | "ended" | "shut off" | "of libvirt";
  /** The range that its processes and its files have. */
  readonly range: string | undefined;
  readonly startedMs: number;
  readonly record: GuestRecord | undefined;
  readonly domain: Domain | undefined;
}

/** Clocks of the kernel's log and of svirt differ by less. */
const CLOCK_MS = 2000;

/** All guests that there is any word of: those that run first, then those that ended, then definitions, then libvirt's. */
export function listKnownGuests(node: Node, machines: readonly AuditedMachine[]): KnownGuest[] {
  const guests = readRecords(node).map((guest) => fromRecord(node, guest));
  const definitions = listDefinitionNames(node).flatMap((name) => fromDefinition(node, name));
  const order = ["running", "ended", "shut off", "of libvirt"];
  return [...guests, ...definitions, ...machines.map(fromMachine)].sort(
    (a, b) => order.indexOf(a.state) - order.indexOf(b.state),
  );
}

/** Whose level it is, or was then; undefined for a level that belongs to no guest alone. */
export function guestOfRange(
  guests: readonly KnownGuest[],
  range: string | undefined,
  atMs: number,
): KnownGuest | undefined {
  if (range === undefined || pairOf(range) === undefined) return undefined;
  return guests.find((guest) => guest.range === range && guest.startedMs <= atMs + CLOCK_MS);
}

function fromRecord(node: Node, record: GuestRecord): KnownGuest {
  return {
    name: record.name,
    uuid: record.uuid,
    state: isRunning(node, record) ? "running" : "ended",
    range: rangeOf(record.label.label),
    startedMs: record.startedMs,
    record,
    domain: domainOf(record.xml),
  };
}

function fromDefinition(node: Node, name: string): KnownGuest[] {
  const definition = readOrUndefined(node, name);
  if (definition === undefined) return [];
  const domain = domainOf(definition.xml);
  const seclabel = domain === undefined ? undefined : selinuxSeclabel(domain.seclabels);
  const range = seclabel?.type === "static" ? rangeOf(seclabel.label) : preferredRange(node, definition.uuid);
  return [{ name, uuid: definition.uuid, state: "shut off", range, startedMs: 0, record: undefined, domain }];
}

function fromMachine({ context, name, uuid }: AuditedMachine): KnownGuest {
  const facts = { startedMs: 0, record: undefined, domain: undefined };
  return { name, uuid, state: "of libvirt", range: rangeOf(context), ...facts };
}

/** One damaged file is the affair of other commands. */
function readOrUndefined(node: Node, name: string): Definition | undefined {
  try {
    return readDefinition(node, name);
  } catch {
    return undefined;
  }
}

function domainOf(xml: string): Domain | undefined {
  try {
    return parseDomainText(xml);
  } catch {
    return undefined;
  }
}

/** The pair that follows from the UUID: what the guest has unless somebody else had it. */
function preferredRange(node: Node, uuid: string): string | undefined {
  if (node.host.getSelinux().mode === "disabled") return undefined;
  return rangesFor(uuid, availableLevel(readPolicyFacts(node.host).own.range)).next().value;
}

function rangeOf(context: string | undefined): string | undefined {
  return context === undefined ? undefined : parseContextOrUndefined(context)?.range;
}
