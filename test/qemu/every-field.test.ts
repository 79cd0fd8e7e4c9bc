import { expect, test } from "bun:test";
import { parseDomainText } from "../../src/domain/document.ts";
import type { Domain } from "../../src/domain/domain.ts";
import { refuseListeners } from "../../src/domain/forbidden/listeners.ts";
import { refusePasswords } from "../../src/domain/forbidden/passwords.ts";
import { listResources } from "../../src/domain/resources/resources.ts";
import { UNREADY } from "../../src/domain/unimplemented/refuse.ts";
import { usesNetwork } from "../../src/domain/uses-network.ts";
import { decideTap, isTapped } from "../../src/plan/decide/tap.ts";
import { completeGuest } from "../../src/qemu/complete-guest.ts";
import { formatArgv } from "../../src/qemu/domain-argv.ts";
import { limitSpeed } from "../../src/qemu/iotune-commands.ts";
import { corpus, readCase } from "../domain/corpus.ts";
import { listSpecimens, withoutDevices } from "./field-mutations.ts";

const DATA = new URL("../data/", import.meta.url).pathname;

/** Fields that no decision about the XML alone reads. A new field is no reason to add a line: have code read it, or refuse it. */
const UNREAD = (await Bun.file(`${DATA}unread-fields.txt`).text())
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"));

const everything = await Bun.file(`${DATA}started/everything.xml`).text();
const documents = [everything, ...(await Promise.all(corpus.map((name) => readCase(name))))].map(
  parseDomainText,
);

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
  getBridge: () => ({ mtu: 1500, filtersVlans: true, defaultVlan: 1 }),
};

/** All that svirt decides from the XML alone, the fast decisions first. */
const DECISIONS: readonly ((domain: Domain) => unknown)[] = [
  listResources,
  (domain) => UNREADY.map((rule) => rule.findIn(domain)),
  refuseListeners,
  refusePasswords,
  usesNetwork,
  ({ devices }) => devices.interfaces.filter(isTapped).map((found) => decideTap(found, "net0", TAPS)),
  (domain) => {
    const guest = completeGuest(domain);
    return guest.devices.disks.map((disk) => limitSpeed(guest, disk));
  },
  (domain) => formatArgv(domain),
];

function attempt(decide: () => unknown): string {
  try {
    return JSON.stringify(decide()) ?? "";
  } catch (thrown) {
    return String(thrown);
  }
}

function refusalOf(domain: Domain): string | undefined {
  try {
    formatArgv(domain);
    return undefined;
  } catch (thrown) {
    return String(thrown);
  }
}

/** Whether another domain is decided about in another way. */
function readerOf(domain: Domain): (other: Domain) => boolean {
  const before = DECISIONS.map((decide) => attempt(() => decide(domain)));
  return (other) => DECISIONS.some((decide, at) => attempt(() => decide(other)) !== before[at]);
}

/** Number of changes of a field that are tried before it counts as unread. */
const MOST_TRIES = 60;

/** Whether the fields of the documents change a decision, when they have another value or are left out. */
function readFields(cases: readonly Domain[]): ReadonlyMap<string, boolean> {
  const seen = new Map<string, boolean>();
  const tries = new Map<string, number>();
  const isOpen = (field: string): boolean => seen.get(field) !== true && (tries.get(field) ?? 0) < MOST_TRIES;
  const specimens = cases.flatMap((document) => listSpecimens(document, AROUND, refusalOf));
  for (const { domain, mutations } of specimens) {
    if (!mutations.some(({ field }) => isOpen(field))) continue;
    const isRead = readerOf(domain);
    for (const { field, make } of mutations) {
      if (!isOpen(field)) continue;
      tries.set(field, (tries.get(field) ?? 0) + 1);
      seen.set(field, isRead(make()));
    }
  }
  return seen;
}

test("every field of a device changes what svirt decides, but for those of unread-fields.txt", () => {
  const seen = readFields(documents);
  expect(seen.size).toBeGreaterThan(900);
  const unread = [...seen].flatMap(([field, isRead]) => (isRead ? [] : [field])).sort();
  expect(unread.filter((field) => !UNREAD.includes(field))).toEqual([]);
  expect(UNREAD.filter((field) => seen.get(field) !== false)).toEqual([]);
}, 300_000);

test("a field that no code reads is named", () => {
  const [first] = documents;
  const [rng] = first?.devices.rngs ?? [];
  if (first === undefined || rng === undefined) throw new Error("no <rng>");
  const unused = { ...rng, unused: "a" };
  const seen = readFields([withoutDevices(first, { rngs: [unused] })]);
  expect(seen.get("rng.unused")).toBe(false);
  expect(seen.get("rng.backend.path")).toBe(true);
});
