import { afterEach, describe, expect, test } from "bun:test";
import { guestPaths, SYSTEM_PATHS } from "../../../src/plan/paths.ts";
import { reportsFolder } from "../../../src/state/reports/report-files.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { type EventWatch, watchEvents } from "../../../src/vm/events/watch-events.ts";
import { attachDevice, detachDevice } from "../../../src/vm/hotplug/change-devices.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { deviceOf, machineWithDisks, SECOND } from "../../scenes/hotplug.ts";
import { diskXml, domainXml, makeMachine, nodeOn, putText, UUID } from "../../scenes/scene.ts";

const EVENTS = guestPaths(SYSTEM_PATHS, UUID).events;
const FILE = `${reportsFolder({ paths: SYSTEM_PATHS })}/${UUID}.json`;
const AGENT =
  "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>" +
  "<channel type='unix'><target type='virtio' name='org.example.other'/></channel>";

const ASK = { key: "vm1", options: { live: true }, isDryRun: false } as const;

const watches: EventWatch[] = [];
afterEach(async () => {
  for (const watch of watches.splice(0)) await watch.close();
});

/** Watches a machine as a client's process does. */
function watching(machine: Machine): EventWatch {
  const made = watchEvents(nodeOn(machine));
  watches.push(made);
  return made;
}

type Report = readonly [event: string, data: Readonly<Record<string, unknown>>];

/** Waits for something to happen, and returns it in short. */
async function next(watch: EventWatch): Promise<readonly string[]> {
  await watch.wait();
  return watch.take().map((event) => {
    const { report, ...facts } = event.of === "guest" ? event.what : { report: event.happened };
    return [report, ...Object.entries(facts).map(([name, value]) => `${name}=${value}`)].join(" ");
  });
}

describe("watchEvents() reports of a running guest", () => {
  test.each<readonly [what: string, reports: Report, expected: readonly string[]]>([
    [
      "an error of its memory",
      [
        "MEMORY_FAILURE",
        { recipient: "guest", action: "inject", flags: { "action-required": true, recursive: false } },
      ],
      ["memory-failure recipient=guest action=inject isActionRequired=true isRecursive=false"],
    ],
    [
      "the size of a memory device",
      [
        "MEMORY_DEVICE_SIZE_CHANGE",
        { id: "virtiomem0", size: 2049, "qom-path": "/machine/peripheral/virtiomem0" },
      ],
      ["memory-device-size-change device=virtiomem0 bytes=2049"],
    ],
    [
      "an error of a disk, for which it is paused",
      [
        "BLOCK_IO_ERROR",
        {
          device: "",
          "qom-path": "/machine/peripheral/virtio-disk0/virtio-backend",
          action: "stop",
          nospace: true,
        },
      ],
      [
        "io-error device=virtio-disk0 action=stop isFull=true path=/var/lib/images/private1.raw",
        "suspended ioerror",
      ],
    ],
    [
      "an error of a disk that the guest sees itself",
      ["BLOCK_IO_ERROR", { device: "", "qom-path": "/machine/peripheral/virtio-disk0", action: "report" }],
      ["io-error device=virtio-disk0 action=report isFull=false path=/var/lib/images/private1.raw"],
    ],
    [
      "a watchdog that pauses it",
      ["WATCHDOG", { action: "pause" }],
      ["watchdog action=pause", "suspended watchdog"],
    ],
    ["a reset", ["RESET", { guest: true, reason: "guest-reset" }], ["reboot"]],
    [
      "its own power-off",
      ["SHUTDOWN", { guest: true, reason: "guest-shutdown" }],
      ["shutdown", "shutdown by guest"],
    ],
    ["its sleep", ["SUSPEND", {}], ["pm-suspend", "pmsuspended memory"]],
    ["the end of its sleep", ["WAKEUP", {}], ["pm-wakeup", "started wakeup"]],
    ["its crash", ["GUEST_PANICKED", { action: "pause" }], ["panicked", "crashed panicked"]],
    ["its agent", ["VSERPORT_CHANGE", { id: "channel0", open: true }], ["agent-lifecycle isConnected=true"]],
  ])("%s", async (_, [event, data], expected) => {
    const machine = makeMachine();
    await startDomain(
      nodeOn(machine),
      domainXml({ disks: diskXml("/var/lib/images/private1.raw", "vda") + AGENT }),
    );
    const watch = watching(machine);
    machine.eventFeeds.send(EVENTS, event, data);
    expect(await next(watch)).toEqual(expected);
    // Each is reported once.
    expect(watch.take()).toEqual([]);
  });

  test("nothing about a port that is no agent's, the host's own end, or what is not as QEMU sends it", async () => {
    const machine = makeMachine();
    await startDomain(nodeOn(machine), domainXml({ disks: AGENT }));
    const watch = watching(machine);
    const send = (event: string, data: Readonly<Record<string, unknown>> = {}): void =>
      machine.eventFeeds.send(EVENTS, event, data);
    send("VSERPORT_CHANGE", { id: "channel1", open: true });
    send("SHUTDOWN", { guest: false, reason: "host-signal" });
    send("BALLOON_CHANGE", { actual: Number.MAX_VALUE });
    send("BLOCK_JOB_COMPLETED", { device: "nothing", type: "commit" });
    send("constructor");
    send("RTC_CHANGE", { offset: 3600 });
    expect(await next(watch)).toEqual(["rtc-change offset=3600"]);
  });

  test("devices that are attached and detached", async () => {
    const machine = await machineWithDisks();
    const watch = watching(machine);
    await attachDevice(nodeOn(machine), ASK, deviceOf(SECOND));
    expect(await next(watch)).toEqual(["device-added device=virtio-disk1"]);
    await detachDevice(nodeOn(machine), ASK, deviceOf(SECOND));
    expect(await next(watch)).toEqual(["device-removed device=virtio-disk1"]);
    const first = deviceOf(diskXml("/var/lib/images/private1.raw", "vda"));
    await detachDevice(nodeOn(machine), ASK, first);
    expect(await next(watch)).toEqual(["device-removed device=virtio-disk0"]);
  });
});

describe("several processes that wait for events of one guest", () => {
  test("get what the first one hears, and the second hears when the first has ended", async () => {
    const machine = await machineWithDisks();
    const [first, second] = [watching(machine), watching(machine)];
    machine.eventFeeds.send(EVENTS, "RESET", { guest: true });
    expect(await Promise.all([next(first), next(second)])).toEqual([["reboot"], ["reboot"]]);
    await first.close();
    machine.eventFeeds.send(EVENTS, "WATCHDOG", { action: "none" });
    expect(await next(second)).toEqual(["watchdog action=none"]);
  });

  test("get no report of an earlier run, and the file of a guest's reports ends with it", async () => {
    const machine = await machineWithDisks();
    const watch = watching(machine);
    machine.eventFeeds.send(EVENTS, "RESET", { guest: true });
    expect(await next(watch)).toEqual(["reboot"]);
    expect(machine.files.find(FILE)).toBeDefined();
    const old = new TextDecoder().decode(machine.files.get(FILE).bytes);
    await destroyDomain(nodeOn(machine), UUID);
    expect(machine.files.find(FILE)).toBeUndefined();
    watch.take();
    // As by a process that was stopped while it wrote.
    putText(machine, FILE, old);
    await startDomain(nodeOn(machine), domainXml());
    expect(await next(watch)).toEqual(["resumed unpaused", "started booted"]);
    machine.eventFeeds.send(EVENTS, "SUSPEND");
    expect(await next(watch)).toEqual(["pm-suspend", "pmsuspended memory"]);
  });

  test("get what the first one heard just before it left", async () => {
    const machine = await machineWithDisks();
    const [first, second] = [watching(machine), watching(machine)];
    machine.eventFeeds.send(EVENTS, "RESET", { guest: true });
    await first.close();
    expect(await next(second)).toEqual(["reboot"]);
  });
});
