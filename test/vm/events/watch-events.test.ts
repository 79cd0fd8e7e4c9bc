// In turn: it takes seconds of a processor.
import { afterEach, describe, expect, test } from "bun:test";
import { readRecord } from "../../../src/state/record.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { undefineDomain } from "../../../src/vm/define/undefine.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { type EventWatch, watchEvents } from "../../../src/vm/events/watch-events.ts";
import { resumeGuest, suspendGuest } from "../../../src/vm/lifecycle/ask-guest.ts";
import { markNetwork } from "../../../src/vm/network/autostart-network.ts";
import { defineNetwork, undefineNetwork } from "../../../src/vm/network/define-network.ts";
import { createNetwork, destroyNetwork } from "../../../src/vm/network/start-network.ts";
import { buildPool } from "../../../src/vm/pool/build-pool.ts";
import { definePool, undefinePool } from "../../../src/vm/pool/define-pool.ts";
import { deletePool } from "../../../src/vm/pool/delete-pool.ts";
import { destroyPool, refreshPool, startPool } from "../../../src/vm/pool/start-pool.ts";
import { restoreDomain } from "../../../src/vm/save/restore-domain.ts";
import { saveDomain } from "../../../src/vm/save/save-domain.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { hostCall } from "../../memory-host/file-tree.ts";
import type { Machine } from "../../memory-host/machine.ts";
import type { Strike } from "../../memory-host/svirt.ts";
import { BRIDGE, networkXml } from "../../scenes/networks.ts";
import { poolXml } from "../../scenes/pools.ts";
import { FILE } from "../../scenes/saving.ts";
import {
  ALL_KINDS,
  domainXml,
  errorOf,
  makeMachine,
  nodeOn,
  putText,
  reapAll,
  sweepAll,
  UUID,
} from "../../scenes/scene.ts";
import { beStruck, instantsOf, type Work } from "../../scenes/strikes.ts";

let watch: EventWatch | undefined;
afterEach(() => watch?.close());

/** Watches a machine, and returns its events in short since the last call. */
function watching(machine: Machine): () => string[] {
  const made = watchEvents(nodeOn(machine));
  watch = made;
  return () => made.take().map(({ happened, name, of }) => `${of} ${name} ${happened}`);
}

async function runningMachine(): Promise<Machine> {
  const machine = makeMachine();
  await startDomain(nodeOn(machine), domainXml({ disks: ALL_KINDS }));
  return machine;
}

/**
 * Returns whether the guest is left after work that fails at that call, and the events until a recovery has
 * cleaned up.
 */
async function eventsAfter(work: Work, strike: Strike): Promise<string> {
  const machine = await runningMachine();
  const events = watching(machine);
  await beStruck(machine, work, strike);
  if (machine.processes.qemuOf(UUID) !== undefined) return `runs: ${events().join()}`;
  const is = readRecord(nodeOn(machine), UUID) === undefined ? "gone" : "left";
  const happened = events();
  await sweepAll(machine);
  return `${is}: ${[...happened, ...events()].join()}`;
}

describe("watchEvents() reports what other processes do", () => {
  test("with a domain, and not what was before", async () => {
    const machine = makeMachine();
    await defineDomain(nodeOn(machine), domainXml());
    const events = watching(machine);
    expect(events()).toEqual([]);
    await defineDomain(nodeOn(machine), domainXml());
    expect(events()).toEqual(["domain vm1 defined updated"]);
    await startDomain(nodeOn(machine), domainXml());
    expect(events()).toEqual(["domain vm1 resumed unpaused", "domain vm1 started booted"]);
    await suspendGuest(nodeOn(machine), "vm1");
    expect(events()).toEqual(["domain vm1 suspended paused"]);
    await suspendGuest(nodeOn(machine), "vm1");
    expect(events()).toEqual([]);
    await resumeGuest(nodeOn(machine), "vm1");
    expect(events()).toEqual(["domain vm1 resumed unpaused"]);
    await resumeGuest(nodeOn(machine), "vm1");
    expect(events()).toEqual([]);
    await destroyDomain(nodeOn(machine), "vm1");
    expect(events()).toEqual(["domain vm1 shutdown by host", "domain vm1 stopped destroyed"]);
    await undefineDomain(nodeOn(machine), "vm1");
    expect(events()).toEqual(["domain vm1 undefined removed"]);
  });

  test("once it can be seen, if the host refuses a look at it", async () => {
    const machine = makeMachine();
    await defineDomain(nodeOn(machine), domainXml());
    const { host, ...node } = nodeOn(machine);
    let isRefused = true;
    const refuse = (path: string): void => {
      if (isRefused && path.startsWith("/etc/svirt/domains/")) throw hostCall(`look at ${path}`, "EMFILE");
    };
    const inspectFile: typeof host.inspectFile = (path) => {
      refuse(path);
      return host.inspectFile(path);
    };
    const made = watchEvents({ ...node, host: { ...host, inspectFile } });
    watch = made;
    const events = () => made.take().map(({ happened, name, of }) => `${of} ${name} ${happened}`);
    isRefused = false;
    await defineDomain(nodeOn(machine), domainXml());
    expect(events()).toEqual(["domain vm1 defined added"]);
    isRefused = true;
    await defineDomain(nodeOn(machine), domainXml());
    expect(events()).toEqual([]);
    isRefused = false;
    await startDomain(nodeOn(machine), domainXml());
    expect(events()).toContain("domain vm1 defined updated");
  });

  test.each([
    [
      "the devices",
      "/sys/class/net",
      ["domain vm1 defined added"],
      ["nodedev net_eth9_52_54_00_00_00_09 created"],
    ],
    [
      "the files",
      "/etc/svirt/domains",
      ["nodedev net_eth9_52_54_00_00_00_09 created"],
      ["domain vm1 defined added"],
    ],
  ])("though a look at %s fails, and wakes for the next look", async (...[, folder, first, second]) => {
    const machine = makeMachine();
    const { host, ...node } = nodeOn(machine);
    machine.files.putFolder("/sys/class/net");
    let isRefused = false;
    const listFolder: typeof host.listFolder = (path) => {
      if (isRefused && path === folder) throw hostCall(`list ${path}`, "EMFILE");
      return host.listFolder(path);
    };
    const made = watchEvents({ ...node, host: { ...host, listFolder } });
    watch = made;
    made.followDevices(true);
    const events = () => made.take().map(({ happened, name, of }) => `${of} ${name} ${happened}`);
    isRefused = true;
    const device = "/sys/devices/virtual/net/eth9";
    putText(machine, `${device}/uevent`, "INTERFACE=eth9\n");
    putText(machine, `${device}/address`, "52:54:00:00:00:09\n");
    machine.files.put("/sys/class/net/eth9", "symlink", { target: device });
    machine.uevents.push({ action: "add", path: device });
    await defineDomain(nodeOn(machine), domainXml());
    expect(events()).toEqual(first);
    await made.wait();
    expect(events).toThrow("EMFILE");
    isRefused = false;
    await made.wait();
    expect(events()).toEqual(second);
    expect(events()).toEqual([]);
  });

  test("with a domain's saved state", async () => {
    const machine = makeMachine();
    await startDomain(nodeOn(machine), domainXml());
    const events = watching(machine);
    await saveDomain(nodeOn(machine), "vm1", { path: FILE, resumes: undefined });
    expect(events()).toEqual([
      "guest vm1 job-completed",
      "domain vm1 suspended paused",
      "domain vm1 shutdown by host",
      "domain vm1 stopped saved",
    ]);
    await restoreDomain(nodeOn(machine), FILE, { resumes: false, xml: undefined });
    expect(events()).toEqual(["domain vm1 started restored", "domain vm1 suspended restored"]);
    await resumeGuest(nodeOn(machine), "vm1");
    expect(events()).toEqual(["domain vm1 resumed unpaused"]);
  });

  test.each<[string, number, string]>([
    ["that has powered off", 0, "shutdown"],
    ["whose QEMU failed", 1, "crashed"],
  ])("with a guest %s", async (...[, status, reason]) => {
    const machine = makeMachine();
    await startDomain(nodeOn(machine), domainXml());
    const events = watching(machine);
    machine.processes.end(machine.processes.qemuOf(UUID)?.pid ?? 0, status);
    await reapAll(machine);
    expect(events()).toEqual([`domain vm1 stopped ${reason}`]);
  });

  test("with a guest whose clean-up fails, once its process is gone", async () => {
    const destroy: Work = (node) => destroyDomain(node, "vm1");
    const instants = (await instantsOf(runningMachine, destroy)).filter(({ moment }) => moment === "before");
    const seen: string[] = [];
    for (const strike of instants) seen.push(await eventsAfter(destroy, { ...strike, how: "fail" }));
    const left = "left: domain vm1 shutdown by host,domain vm1 stopped destroyed";
    expect(seen.filter((one) => one === left).length).toBeGreaterThan(5);
    // Without room for the reason it is unknown.
    const expected =
      /^(?:runs: |(?:left|gone): domain vm1 shutdown by host,domain vm1 stopped destroyed|gone: domain vm1 stopped unknown)$/;
    expect(seen.filter((one) => !expected.test(one))).toEqual([]);
  });

  test("with a start that fails: nothing", async () => {
    const machine = makeMachine();
    const events = watching(machine);
    machine.qemu = { monitor: "silent" };
    await errorOf(startDomain(nodeOn(machine), domainXml()));
    await sweepAll(machine);
    expect(events()).toEqual([]);
  });

  test("with a network", async () => {
    const machine = makeMachine();
    machine.files.putFolder("/sys/class/net/br0/bridge");
    const events = watching(machine);
    await defineNetwork(nodeOn(machine), networkXml(BRIDGE));
    expect(events()).toEqual(["network lan defined"]);
    await markNetwork(nodeOn(machine), "lan", true);
    expect(events()).toEqual([]);
    await createNetwork(nodeOn(machine), networkXml(BRIDGE));
    expect(events()).toEqual(["network lan started"]);
    await destroyNetwork(nodeOn(machine), "lan");
    expect(events()).toEqual(["network lan stopped"]);
    await undefineNetwork(nodeOn(machine), "lan");
    expect(events()).toEqual(["network lan undefined"]);
  });

  test("with a storage pool, its folder and its volumes", async () => {
    const machine = makeMachine();
    const events = watching(machine);
    await definePool(nodeOn(machine), poolXml());
    expect(events()).toEqual(["pool images defined"]);
    await buildPool(nodeOn(machine), "images");
    expect(events()).toEqual(["pool images created"]);
    await startPool(nodeOn(machine), "images", { isBuilt: false });
    expect(events()).toEqual(["pool images started"]);
    await refreshPool(nodeOn(machine), "images");
    await refreshPool(nodeOn(machine), "images");
    expect(events()).toEqual(["pool images refreshed"]);
    await destroyPool(nodeOn(machine), "images");
    expect(events()).toEqual(["pool images stopped"]);
    await deletePool(nodeOn(machine), "images");
    expect(events()).toEqual(["pool images deleted"]);
    await undefinePool(nodeOn(machine), "images");
    expect(events()).toEqual(["pool images undefined"]);
  });
});

test("watchEvents() makes missing folders with their writers' modes, and ignores files that svirt has not written", () => {
  const machine = makeMachine();
  const events = watching(machine);
  expect(machine.files.get("/run/svirt").mode).toBe(0o711);
  expect(machine.files.get("/var/lib/svirt/records").mode).toBe(0o700);
  putText(machine, "/etc/svirt/domains/other.xml", "<domain/>");
  putText(machine, `/var/lib/svirt/records/${UUID}.json`, "{");
  machine.files.putFolder("/etc/svirt/networks/folder.xml");
  putText(machine, `/run/svirt/pool-notes/${UUID}.created.new`, "images");
  expect(events()).toEqual([]);
});

test.each([
  ["pause", suspendGuest],
  ["resume", resumeGuest],
])("on a full disk svirt can %s a guest, which is not reported", async (_, work) => {
  const machine = makeMachine();
  await startDomain(nodeOn(machine), domainXml());
  if (work === resumeGuest) await suspendGuest(nodeOn(machine), "vm1");
  const events = watching(machine);
  machine.isDiskFull = true;
  await work(nodeOn(machine), "vm1");
  expect(events()).toEqual([]);
});
