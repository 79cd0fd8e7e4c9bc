import { parseDomainText } from "../../src/domain/document.ts";
import type { Domain } from "../../src/domain/domain.ts";
import { refuseListeners } from "../../src/domain/forbidden/listeners.ts";
import { refusePasswords } from "../../src/domain/forbidden/passwords.ts";
import { listResources } from "../../src/domain/resources/resources.ts";
import { UNIMPLEMENTED_RULES } from "../../src/domain/unimplemented/refuse.ts";
import { usesNetwork } from "../../src/domain/uses-network.ts";
import { findBuiltIn } from "../../src/network/filter/instance.ts";
import { decideTap, isTapped } from "../../src/plan/decide/tap.ts";
import { decideShape, decideTapRules } from "../../src/plan/decide/tap-rules.ts";
import { completeGuest } from "../../src/qemu/complete-guest.ts";
import { formatArgv } from "../../src/qemu/domain-argv.ts";
import { listStartCommands } from "../../src/qemu/start-commands.ts";
import { corpus, readCase } from "../domain/corpus.ts";
import {
  listInPlace,
  listSpecimens,
  type Mutation,
  type PrunableSpecimen,
  type Specimen,
  withoutDevices,
} from "./field-mutations.ts";

const DATA = new URL("../data/", import.meta.url).pathname;

const everything = await Bun.file(`${DATA}started/everything.xml`).text();
const recorded = await Promise.all(
  ["pc-every-bus", "q35-old-devices", "q35-usual"].map((name) => Bun.file(`${DATA}argv/${name}.xml`).text()),
);
const examples = await Bun.file(`${DATA}field-examples.xml`).text();

/** The documents whose devices show which fields are read. */
export const documents = [
  examples,
  ...recorded,
  everything,
  ...(await Promise.all(corpus.map((name) => readCase(name)))),
].map(parseDomainText);

/** A document whose devices refer to each other: each is changed among the others. */
export const related = parseDomainText(await Bun.file(`${DATA}field-relations.xml`).text());

const spice = parseDomainText(
  everything.replace(/<devices>.*<\/devices>/s, "<devices><graphics type='spice'/></devices>"),
);
const shared = parseDomainText(
  everything
    .replace(/<memoryBacking>.*?<\/memoryBacking>/s, "")
    .replace(
      "<devices>",
      "<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking><devices>",
    ),
);
const onPc = (domain: Domain): Domain => ({
  ...domain,
  os: { ...domain.os, type: { ...domain.os.type, machine: "pc" } },
});
const AROUND = [
  withoutDevices(shared),
  onPc(withoutDevices(shared)),
  withoutDevices(spice, { graphics: spice.devices.graphics }),
];

const TAPS = {
  taken: new Set(["eth0"]),
  hasVhost: true,
  isFiltered: false,
  getBridge: () => ({ mtu: 1500, filtersVlans: true, defaultVlan: 1 }),
  openVswitch: { guestUuid: "1", hasProgram: () => true, getMtu: () => 1500 },
};

type Decision = (domain: Domain) => unknown;

/** All that svirt decides from the XML alone, the fast decisions first. */
const DECISIONS: readonly Decision[] = [
  listResources,
  (domain) => UNIMPLEMENTED_RULES.map((rule) => rule.findIn(domain)),
  refuseListeners,
  refusePasswords,
  usesNetwork,
  ({ devices }) => devices.interfaces.filter(isTapped).map((found) => decideTap(found, "net0", TAPS)),
  ({ devices, uuid }) =>
    devices.interfaces.map((found) => [
      decideShape(found),
      decideTapRules(found, "vnet0", { uuid, place: "/interface", findFilter: findBuiltIn }),
    ]),
  (domain) => listStartCommands(completeGuest(domain)),
  (domain) => formatArgv(domain, { sealed: (use) => ({ data: JSON.stringify(use), iv: "" }) }),
];

function attempt(decide: () => unknown): string {
  try {
    return JSON.stringify(decide()) ?? "";
  } catch (thrown) {
    return String(thrown);
  }
}

/** Returns why the domain has no arguments for QEMU, if it has none. */
export function refusalOf(domain: Domain): string | undefined {
  try {
    formatArgv(domain);
    return undefined;
  } catch (thrown) {
    return String(thrown);
  }
}

/** Returns a function that tells whether another domain is decided about in another way. */
function readerOf(domain: Domain): (other: Domain) => boolean {
  const before = new Map<Decision, string>();
  const decideBefore = (decide: Decision): string => {
    const known = before.get(decide) ?? attempt(() => decide(domain));
    before.set(decide, known);
    return known;
  };
  return (other) => DECISIONS.some((decide) => attempt(() => decide(other)) !== decideBefore(decide));
}

/** Number of changes of a field that are tried before it counts as unread. */
const MOST_TRIES = 60;

/**
 * Returns whether the fields of the documents, whose devices are changed alone, and of `whole`, whose devices
 * are changed among the others, change a decision when they have another value or are left out. A skipped
 * field counts as unread. Refused parts are left out for few fields only, since finding them takes long.
 */
export function readFields(
  cases: readonly Domain[],
  skipped: ReadonlySet<string> = new Set(),
  whole: readonly Domain[] = [],
): ReadonlyMap<string, boolean> {
  const specimens = [...whole.flatMap(listInPlace), ...listSpecimens(cases, AROUND)];
  const fields = specimens.flatMap(({ mutations }) => mutations.map(({ field }) => field));
  const unread = new Set(fields.filter((field) => !skipped.has(field)));
  tryFields(unread, specimens, (specimen) => specimen);
  tryFields(unread, specimens, (specimen) => specimen.prune(refusalOf));
  return new Map(fields.map((field) => [field, !skipped.has(field) && !unread.has(field)]));
}

/** Removes the fields that change a decision about one of the specimens. */
function tryFields(
  unread: Set<string>,
  specimens: readonly PrunableSpecimen[],
  prepare: (specimen: PrunableSpecimen) => Specimen | undefined,
): void {
  const tries = new Map<string, number>();
  const isOpen = ({ field }: Mutation): boolean => unread.has(field) && (tries.get(field) ?? 0) < MOST_TRIES;
  const tryOne = ({ field, make }: Mutation, isRead: (other: Domain) => boolean): void => {
    tries.set(field, (tries.get(field) ?? 0) + 1);
    if (isRead(make())) unread.delete(field);
  };
  for (const each of specimens) {
    const specimen = each.mutations.some(isOpen) ? prepare(each) : undefined;
    if (specimen === undefined) continue;
    const isRead = readerOf(specimen.domain);
    for (const mutation of specimen.mutations) if (isOpen(mutation)) tryOne(mutation, isRead);
  }
}
