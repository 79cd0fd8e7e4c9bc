import { parseDomainText } from "../../domain/document.ts";
import type { Domain } from "../../domain/domain.ts";
import { guestSeclabel } from "../../domain/machine/guest-seclabel.ts";
import { hostModel } from "../../report/label-models.ts";
import { rangesFor } from "../../selinux/category-pairs.ts";
import { parseContextOrUndefined } from "../../selinux/context.ts";
import type { AuditedMachine } from "../../selinux/denials/denial.ts";
import { pairOf } from "../../selinux/level.ts";
import { type Definition, listDefinitionNames, readDefinition } from "../../state/definitions.ts";
import type { Instance } from "../../state/instance.ts";
import { type GuestRecord, isRunning, readRecords } from "../../state/record.ts";

/** Guest possibly behind a denial. */
export interface KnownGuest {
  readonly name: string;
  readonly uuid: string | undefined;
  /**
   * "ended": its record still exists; "shut off": its level is the preferred or static level of its
   * definition.
   */
  readonly state: "running" | "ended" | "shut off" | "of libvirt";
  /** Range of its processes and files. */
  readonly range: string | undefined;
  readonly startedMs: number;
  readonly record: GuestRecord | undefined;
  readonly domain: Domain | undefined;
}

/** Largest difference between the clocks of the kernel's log and of svirt. */
const CLOCK_MS = 2000;

/** Lists all known guests: running guests first, then ended guests, then definitions, then libvirt's. */
export function listKnownGuests(instance: Instance, machines: readonly AuditedMachine[]): KnownGuest[] {
  const guests = readRecords(instance).map((guest) => fromRecord(instance, guest));
  const definitions = listDefinitionNames(instance).flatMap((name) => fromDefinition(instance, name));
  const order = ["running", "ended", "shut off", "of libvirt"];
  return [...guests, ...definitions, ...machines.map(fromMachine)].sort(
    (a, b) => order.indexOf(a.state) - order.indexOf(b.state),
  );
}

/** Returns the guest with the level, now or then; undefined for a level other than a single guest's. */
export function guestOfRange(
  guests: readonly KnownGuest[],
  range: string | undefined,
  atMs: number,
): KnownGuest | undefined {
  if (range === undefined || pairOf(range) === undefined) return undefined;
  return guests.find((guest) => guest.range === range && guest.startedMs <= atMs + CLOCK_MS);
}

function fromRecord(instance: Instance, record: GuestRecord): KnownGuest {
  return {
    name: record.name,
    uuid: record.uuid,
    state: isRunning(instance, record) ? "running" : "ended",
    range: rangeOf(record.label.label),
    startedMs: record.startedMs,
    record,
    domain: domainOf(record.xml),
  };
}

function fromDefinition(instance: Instance, name: string): KnownGuest[] {
  const definition = readOrUndefined(instance, name);
  if (definition === undefined) return [];
  const domain = domainOf(definition.xml);
  const seclabel = domain === undefined ? undefined : guestSeclabel(domain.seclabels);
  const range =
    seclabel?.type === "static" ? rangeOf(seclabel.label) : preferredRange(instance, definition.uuid);
  return [{ name, uuid: definition.uuid, state: "shut off", range, startedMs: 0, record: undefined, domain }];
}

function fromMachine({ context, name, uuid }: AuditedMachine): KnownGuest {
  const facts = { startedMs: 0, record: undefined, domain: undefined };
  return { name, uuid, state: "of libvirt", range: rangeOf(context), ...facts };
}

/** Reads a definition; undefined if it is damaged: other commands report it. */
function readOrUndefined(instance: Instance, name: string): Definition | undefined {
  try {
    return readDefinition(instance, name);
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

/** Returns the pair that follows from the UUID. The guest gets it unless it is in use. */
function preferredRange(instance: Instance, uuid: string): string | undefined {
  const level = hostModel(instance.host).levelFor("dynamic");
  return level === undefined ? undefined : rangesFor(uuid, level).next().value;
}

function rangeOf(context: string | undefined): string | undefined {
  return context === undefined ? undefined : parseContextOrUndefined(context)?.range;
}
