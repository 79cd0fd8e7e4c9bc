import { expect, test } from "bun:test";
import { SvirtError } from "../../../src/errors.ts";
import { guestPaths, reportsLock, SYSTEM_PATHS } from "../../../src/plan/paths.ts";
import { lastReports } from "../../../src/state/reports/guest-reports.ts";
import { GuestFeeds } from "../../../src/vm/events/guest-feeds.ts";
import { machineWithDisks, recordOf } from "../../scenes/hotplug.ts";
import { nodeOn, UUID } from "../../scenes/scene.ts";

const LOCK = reportsLock(SYSTEM_PATHS, UUID);
const EVENTS = guestPaths(SYSTEM_PATHS, UUID).events;

/** Returns feeds of a guest, whose lock of reports is asked for by `ask`. */
async function follow(ask: () => Promise<void>) {
  const machine = await machineWithDisks();
  const { host, ...node } = nodeOn(machine);
  const lock: typeof host.lock = async (path, timeoutMs) => {
    if (path === LOCK) await ask();
    return await host.lock(path, timeoutMs);
  };
  const feeds = new GuestFeeds({ ...node, host: { ...host, lock } });
  feeds.follow(new Map([[UUID, { ...recordOf(machine), state: "running", steps: [] }]]));
  return {
    feeds,
    report: () => machine.eventFeeds.send(EVENTS, "SUSPEND"),
    written: () => lastReports(nodeOn(machine), recordOf(machine)).map(({ report }) => report),
  };
}

function held(): SvirtError {
  return new SvirtError("Cannot lock", { kind: "timeout", remedy: "Wait." });
}

test("a report that another svirt does not let through is written later, without another event", async () => {
  let refusals = 2;
  const { feeds, report, written } = await follow(async () => {
    refusals -= 1;
    if (refusals >= 0) throw held();
  });
  report();
  while (written().length === 0) await Bun.sleep(10);
  expect(written()).toEqual(["pm-suspend"]);
  await feeds.close();
});

test("a report is written later after an error that is none of svirt's", async () => {
  let asked = 0;
  const { feeds, report, written } = await follow(async () => {
    asked += 1;
    if (asked === 1) throw new TypeError("as the test wants it");
  });
  report();
  while (written().length === 0) await Bun.sleep(10);
  expect(written()).toEqual(["pm-suspend"]);
  await feeds.close();
});

test("close() writes what could not be written before", async () => {
  let asked = 0;
  const { feeds, report, written } = await follow(async () => {
    asked += 1;
    if (asked === 1) throw held();
  });
  report();
  while (asked === 0) await Bun.sleep(1);
  await feeds.close();
  expect(written()).toEqual(["pm-suspend"]);
});

test("while another svirt holds the lock, one write is under way, and close() tries once more", async () => {
  const gate = Promise.withResolvers<void>();
  let asked = 0;
  const { feeds, report, written } = await follow(async () => {
    asked += 1;
    await gate.promise;
    throw held();
  });
  // Far longer than two writes are apart.
  for (let at = 0; at < 50; at += 1) {
    report();
    await Bun.sleep(10);
  }
  expect(asked).toBe(1);
  const closed = feeds.close();
  gate.resolve();
  await closed;
  expect([asked, written()]).toEqual([2, []]);
});

test("close() writes what arrives while a write is under way", async () => {
  const [begun, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const { feeds, report, written } = await follow(async () => {
    begun.resolve();
    await gate.promise;
  });
  report();
  await begun.promise;
  const closed = feeds.close();
  gate.resolve();
  while (written().length === 0) await Promise.resolve();
  report();
  await closed;
  expect(written()).toEqual(["pm-suspend", "pm-suspend"]);
});
