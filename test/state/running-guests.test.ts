import { beforeEach, expect, test } from "bun:test";
import { guestPaths, SYSTEM_PATHS } from "../../src/plan/paths.ts";
import { type GuestChange, type GuestRecord, readRecord, writeRecord } from "../../src/state/record.ts";
import { readIdleGuests } from "../../src/state/running-guests.ts";
import { startDomain } from "../../src/vm/start/start.ts";
import type { Machine } from "../memory-host/machine.ts";
import { domainXml, makeMachine, nodeOn, UUID } from "../scenes/scene.ts";

const OTHER = "00000000-0000-4000-8000-00000000000d";
let machine: Machine;

beforeEach(async () => {
  machine = makeMachine();
  await startDomain(nodeOn(machine), domainXml({}));
  await startDomain(nodeOn(machine), domainXml({ name: "vm2", uuid: OTHER }));
});

function recordOf(uuid: string): GuestRecord {
  const found = readRecord(nodeOn(machine), uuid);
  if (found === undefined) throw new Error("the guest has no record");
  return found;
}

function putRecord(text: string): void {
  const bytes = new TextEncoder().encode(text);
  machine.files.put(guestPaths(SYSTEM_PATHS, OTHER).record, "file", { bytes });
}

test("readIdleGuests() returns the guests that run, in the order of their ids", () => {
  const guests = [UUID, OTHER].map((uuid) => {
    const { id, name, process = { pid: 0, startTicks: 0 } } = recordOf(uuid);
    return { id, name, process, uuid };
  });
  expect(guests.map(({ id }) => id)).toEqual([1, 2]);
  expect(readIdleGuests(nodeOn(machine))).toEqual(guests);
});

test("readIdleGuests() returns none for a host without guests", () => {
  expect(readIdleGuests(nodeOn(makeMachine()))).toEqual([]);
});

test.each([
  ["has a job", { jobs: [] }],
  ["is being started", { state: "starting" }],
  ["is being cleaned up", { state: "stopping" }],
  ["ran before the host's last boot", { bootId: "another" }],
] satisfies [string, Partial<GuestRecord>][])(
  "readIdleGuests() leaves it to the recovery if a guest %s",
  (_, changed) => {
    writeRecord(nodeOn(machine), { ...recordOf(OTHER), ...changed });
    expect(readIdleGuests(nodeOn(machine))).toBeUndefined();
  },
);

test("readIdleGuests() leaves it to the recovery if a guest has an unfinished change", () => {
  const { xml } = recordOf(OTHER);
  const change: GuestChange = { what: "attach vdb", stage: "doing", steps: [], after: [], xml };
  writeRecord(nodeOn(machine), { ...recordOf(OTHER), change });
  expect(readIdleGuests(nodeOn(machine))).toBeUndefined();
});

test("readIdleGuests() leaves it to the recovery if a guest has ended", () => {
  machine.processes.end(recordOf(OTHER).process?.pid ?? 0, 137);
  expect(readIdleGuests(nodeOn(machine))).toBeUndefined();
});

test("readIdleGuests() leaves it to the recovery if the end of a guest is noted beside its record", () => {
  machine.files.putFolder("/run/svirt/ending");
  machine.files.put(`/run/svirt/ending/${OTHER}`, "file", { bytes: new TextEncoder().encode("{}\n") });
  expect(readIdleGuests(nodeOn(machine))).toBeUndefined();
});

test.each(["", "{", "[]", "null", "1", '{"format":1}', '{"format":2}'])(
  "readIdleGuests() leaves it to the recovery if a record is %j",
  (text) => {
    putRecord(text);
    expect(readIdleGuests(nodeOn(machine))).toBeUndefined();
  },
);

test.each(["format", "id", "name", "uuid", "bootId", "state", "process"])(
  "readIdleGuests() leaves it to the recovery if a record has no usable %s",
  (field) => {
    for (const value of [undefined, null, {}, []]) {
      putRecord(JSON.stringify({ ...recordOf(UUID), [field]: value }));
      expect({ value, guests: readIdleGuests(nodeOn(machine)) }).toEqual({ value, guests: undefined });
    }
  },
);
