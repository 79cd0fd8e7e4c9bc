import { describe, expect, test } from "bun:test";
import {
  compareDomains,
  type DomainsSeen,
  type EndReason,
  type GuestFacts,
  guestsIn,
  parseGuestFacts,
} from "../../../src/vm/events/domain-events.ts";
import type { SeenFiles } from "../../../src/vm/events/scan-folder.ts";

const BOOT = "00000000-0000-4000-8000-000000000001";
const [ONE, TWO] = ["11111111-2222-4333-8444-000000000001", "99999999-2222-4333-8444-000000000009"];
const NONE: DomainsSeen = { definitions: new Map(), guests: new Map() };

/** Returns definitions by "NAME" or "NAME MARK" and their UUIDs. */
function definitions(files: Readonly<Record<string, string>>): DomainsSeen["definitions"] {
  const entries = Object.entries(files).map(([key, value]) => {
    const [name = "", mark = "1"] = key.split(" ");
    return [name, { mark, value }] as const;
  });
  return new Map(entries);
}

function guest(facts: Partial<GuestFacts> = {}): GuestFacts {
  return {
    uuid: ONE,
    name: "vm1",
    id: 1,
    bootId: BOOT,
    state: "running",
    startedMs: 1000,
    steps: [],
    ...facts,
  };
}

function guests(...all: readonly GuestFacts[]): DomainsSeen["guests"] {
  return new Map(all.map((one) => [one.uuid, one]));
}

/** Returns the events between two moments in short: name, id and event. */
function between(before: Partial<DomainsSeen>, after: Partial<DomainsSeen>): string[] {
  const events = compareDomains({ ...NONE, ...before }, { ...NONE, ...after }, () => "destroyed");
  return events.map(({ happened, id, name }) => `${name} ${id ?? "off"} ${happened}`);
}

describe("compareDomains()", () => {
  test.each<[string, Partial<DomainsSeen>, Partial<DomainsSeen>, readonly string[]]>([
    ["a new definition", {}, { definitions: definitions({ vm1: ONE }) }, ["vm1 off defined added"]],
    [
      "a replaced definition of a running guest",
      { definitions: definitions({ vm1: ONE }), guests: guests(guest()) },
      { definitions: definitions({ "vm1 2": ONE }), guests: guests(guest()) },
      ["vm1 1 defined updated"],
    ],
    [
      "a definition with the name of another domain",
      { definitions: definitions({ vm1: ONE }) },
      { definitions: definitions({ "vm1 2": TWO }) },
      ["vm1 off undefined removed", "vm1 off defined added"],
    ],
    [
      "a domain with another name",
      { definitions: definitions({ vm1: ONE }) },
      { definitions: definitions({ vm2: ONE }) },
      ["vm1 off undefined renamed", "vm2 off defined renamed"],
    ],
    ["a removed definition", { definitions: definitions({ vm1: ONE }) }, {}, ["vm1 off undefined removed"]],
    ["a start", {}, { guests: guests(guest()) }, ["vm1 1 resumed unpaused", "vm1 1 started booted"]],
    [
      "a start that leaves the guest paused",
      {},
      { guests: guests(guest({ told: { times: 0, to: "pause" } })) },
      ["vm1 1 started booted", "vm1 1 suspended paused"],
    ],
    [
      "a restored guest",
      {},
      { guests: guests(guest({ restored: true })) },
      ["vm1 1 started restored", "vm1 1 resumed snapshot"],
    ],
    [
      "a restored guest that stays paused",
      {},
      { guests: guests(guest({ restored: true, told: { times: 0, to: "pause" } })) },
      ["vm1 1 started restored", "vm1 1 suspended restored"],
    ],
    [
      "a pause",
      { guests: guests(guest()) },
      { guests: guests(guest({ told: { times: 1, to: "pause" } })) },
      ["vm1 1 suspended paused"],
    ],
    [
      "a pause and a continuation",
      { guests: guests(guest({ told: { times: 1, to: "pause" } })) },
      { guests: guests(guest({ told: { times: 2, to: "run" } })) },
      ["vm1 1 resumed unpaused"],
    ],
    ["other work on a guest", { guests: guests(guest()) }, { guests: guests(guest({ name: "vm1" })) }, []],
    ["an end", { guests: guests(guest()) }, {}, ["vm1 1 shutdown by host", "vm1 off stopped destroyed"]],
    [
      "an end and another start",
      { guests: guests(guest()) },
      { guests: guests(guest({ id: 2, startedMs: 2000 })) },
      [
        "vm1 1 shutdown by host",
        "vm1 off stopped destroyed",
        "vm1 2 resumed unpaused",
        "vm1 2 started booted",
      ],
    ],
  ])("reports %s", (...[, before, after, expected]) => {
    expect(between(before, after)).toEqual([...expected]);
  });
});

test("compareDomains() reports a save, and a dump that ends the guest, as a pause and an end by the host", () => {
  const endAs = (facts: Partial<GuestFacts>, reason: EndReason): string[] =>
    compareDomains({ ...NONE, guests: guests(guest(facts)) }, NONE, () => reason).map(
      ({ happened, id }) => `${id ?? "off"} ${happened}`,
    );
  const by = (reason: string): string[] => [
    "1 suspended paused",
    "1 shutdown by host",
    `off stopped ${reason}`,
  ];
  expect(endAs({}, "saved")).toEqual(by("saved"));
  expect(endAs({ change: { ends: "crashed" } }, "crashed")).toEqual(by("crashed"));
  const paused = { change: { ends: "crashed" }, told: { times: 1, to: "pause" } } as const;
  expect(endAs(paused, "crashed")).toEqual(by("crashed").slice(1));
  expect(endAs({ change: {} }, "crashed")).toEqual(["off stopped crashed"]);
  expect(endAs({ change: { ends: "crashed" } }, "destroyed")).toEqual([
    "1 shutdown by host",
    "off stopped destroyed",
  ]);
});

describe("guestsIn()", () => {
  const recorded = (facts: Partial<GuestFacts>): SeenFiles<GuestFacts> =>
    new Map([[ONE, { mark: "1", value: guest(facts) }]]);

  const LIVING = { bootId: BOOT, hasProcess: () => true };
  const process = { pid: 7, startTicks: 9 };

  test("has a guest that ends until the kernel has its process no longer", () => {
    const running = guestsIn(recorded({ process }), new Map(), LIVING);
    const asked: unknown[] = [];
    const hasProcess = (one: unknown): boolean => asked.push(one) === 1;
    for (const size of [1, 0])
      expect(
        guestsIn(recorded({ process, state: "stopping" }), running, { bootId: BOOT, hasProcess }).size,
      ).toBe(size);
    expect(asked).toEqual([process, process]);
  });

  test("has a guest from the end of its start to the end of its record", () => {
    expect(guestsIn(recorded({ state: "starting" }), new Map(), LIVING).size).toBe(0);
    const running = guestsIn(recorded({}), new Map(), LIVING);
    expect(running.size).toBe(1);
    expect(guestsIn(recorded({ state: "stopping" }), running, LIVING).size).toBe(1);
  });

  test("has no guest of a failed start, and none of an earlier boot", () => {
    expect(guestsIn(recorded({ state: "stopping" }), new Map(), LIVING).size).toBe(0);
    expect(guestsIn(recorded({ bootId: "other" }), new Map(), LIVING).size).toBe(0);
  });
});

test("parseGuestFacts() reads no text that is damaged", () => {
  for (const text of ["", "{", "[]", '{"uuid":1}']) expect(parseGuestFacts(text)).toBeUndefined();
});
