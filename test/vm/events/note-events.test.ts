import { afterEach, describe, expect, test } from "bun:test";
import { notesLock, registryLock, SYSTEM_PATHS } from "../../../src/plan/paths.ts";
import { type DomainNote, domainNotesFolder, noteDomain } from "../../../src/state/reports/domain-notes.ts";
import { readDescription, writeDescription, writeMetadata } from "../../../src/vm/change/describe-domain.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { type EventWatch, watchEvents } from "../../../src/vm/events/watch-events.ts";
import { getCompletedJob } from "../../../src/vm/save/domain-job.ts";
import { dumpDomain } from "../../../src/vm/save/dump-domain.ts";
import { saveDomain } from "../../../src/vm/save/save-domain.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { changeShares } from "../../../src/vm/tuning/change-limits.ts";
import { changeDiskLimits } from "../../../src/vm/tuning/disk-limits.ts";
import { runOn } from "../../cli/in-memory.ts";
import { hostCall } from "../../memory-host/file-tree.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { asked, call, domain, text, word } from "../../rpc/remote-client.ts";
import {
  ALL_KINDS,
  domainXml,
  errorOf,
  makeMachine,
  nodeOn,
  OTHER,
  putText,
  UUID,
} from "../../scenes/scene.ts";

const ASK = { key: "vm1", options: {}, isDryRun: false } as const;
const FILE = "/var/lib/saved";
const AS_IT_WAS = { path: FILE, resumes: undefined } as const;

let watch: EventWatch | undefined;
afterEach(() => watch?.close());

/** Watches a machine as another process does. Returns the notes about domains since the last call. */
function watching(machine: Machine): () => unknown[] {
  const made = watchEvents(nodeOn(machine));
  watch = made;
  return () => made.take().flatMap((event) => (event.of === "guest" ? [event.what] : []));
}

async function machineWithGuest(): Promise<Machine> {
  const machine = makeMachine();
  await startDomain(nodeOn(machine), domainXml({ disks: ALL_KINDS }));
  return machine;
}

describe("watchEvents() reports", () => {
  test("a save and a dump that are completed, before the end of the guest, and none that fails", async () => {
    const machine = await machineWithGuest();
    const events = watching(machine);
    machine.qemu = { refuses: "migrate" };
    await errorOf(saveDomain(nodeOn(machine), "vm1", AS_IT_WAS));
    expect(events()).toEqual([]);
    machine.qemu = {};
    await dumpDomain(nodeOn(machine), "vm1", {
      path: FILE,
      options: { format: "elf", live: false, afterwards: "go-on" },
    });
    expect(events()).toEqual([expect.objectContaining({ report: "job-completed", operation: "dump" })]);
    await saveDomain(nodeOn(machine), "vm1", AS_IT_WAS);
    expect(events()).toEqual([expect.objectContaining({ report: "job-completed", operation: "save" })]);
  });

  test("a title, a description and metadata of a definition and of a guest", async () => {
    const machine = makeMachine();
    await defineDomain(nodeOn(machine), domainXml());
    const events = watching(machine);
    await writeDescription(nodeOn(machine), ASK, { which: "title", text: "one" });
    await writeDescription(nodeOn(machine), { ...ASK, isDryRun: true }, { which: "title", text: "two" });
    const set = { key: "app", xml: "<app/>" };
    await writeMetadata(nodeOn(machine), ASK, { uri: "urn:test", set });
    await startDomain(nodeOn(machine), domainXml());
    await writeDescription(nodeOn(machine), ASK, { which: "description", text: "" });
    expect(events()).toEqual([
      { report: "metadata-change", type: "title" },
      { report: "metadata-change", type: "element", uri: "urn:test" },
      { report: "metadata-change", type: "description" },
    ]);
  });

  test("limits and pins of a running guest, but not those of a definition", async () => {
    const machine = await machineWithGuest();
    await defineDomain(nodeOn(machine), domainXml({ disks: ALL_KINDS }));
    putText(machine, "/sys/devices/system/cpu/online", "0-3\n");
    const events = watching(machine);
    await changeDiskLimits(nodeOn(machine), ASK, { disk: "vda", limits: { readIopsSec: 7, groupName: "" } });
    const config = { ...ASK, options: { config: true } };
    await changeDiskLimits(nodeOn(machine), config, { disk: "vda", limits: { readIopsSec: 8 } });
    expect(events()).toEqual([
      {
        report: "tunable",
        parameters: [
          { field: "blkdeviotune.disk", value: "vda" },
          { field: "blkdeviotune.read_iops_sec", value: 7 },
          { field: "blkdeviotune.group_name", value: "" },
        ],
      },
    ]);
    await changeShares(nodeOn(machine), ASK, {
      what: "share processors",
      change: (before) => before,
    });
    expect(events()).toEqual([]);
  });

  test("an optional image that is missing at the start", async () => {
    const machine = makeMachine();
    const events = watching(machine);
    const optional = (target: string, device: string): string =>
      `<disk type='file' device='${device}'><source file='/none/${target}' startupPolicy='optional'/><target dev='${target}'/></disk>`;
    await startDomain(
      nodeOn(machine),
      domainXml({ disks: `${optional("sda", "cdrom")}${optional("vdz", "disk")}` }),
    );
    expect(events()).toEqual([
      {
        report: "disk-change",
        device: expect.stringMatching(/^(?:sata|scsi|ide)0-/),
        path: "/none/sda",
        isEmptied: true,
      },
      { report: "disk-change", device: "virtio-disk25", path: "/none/vdz", isEmptied: false },
    ]);
  });

  test("no note twice, and those after the file was removed", async () => {
    const machine = makeMachine();
    const node = nodeOn(machine);
    const note = { report: "metadata-change", type: "title" } as const;
    await noteDomain(node, { name: "vm1", uuid: UUID }, note);
    const events = watching(machine);
    expect(events()).toEqual([]);
    machine.files.remove(`${domainNotesFolder(node)}/${UUID}.json`);
    const { nowMs } = node.host;
    const later = { ...node, host: { ...node.host, nowMs: () => nowMs() + 60_000 } };
    await noteDomain(later, { name: "vm1", uuid: UUID }, note, note);
    expect(events()).toEqual([note, note]);
    for (let at = 0; at < 100; at += 1) await noteDomain(later, { name: "vm1", uuid: UUID }, note);
    expect(events()).toHaveLength(64);
  });

  test("the last of long notes, which take no more room than one and a quarter of a MiB", async () => {
    const machine = makeMachine();
    const node = nodeOn(machine);
    const events = watching(machine);
    const note = (letter: string): DomainNote => ({
      report: "tunable",
      parameters: [{ field: "test", value: letter.repeat(1_000_000) }],
    });
    await noteDomain(node, { name: "vm1", uuid: UUID }, note("a"), note("b"));
    expect(events()).toEqual([note("b")]);
  });

  test("metadata of a namespace with a long URI, without that", async () => {
    const machine = makeMachine();
    const events = watching(machine);
    const note = (bytes: number) =>
      ({ report: "metadata-change", type: "element", uri: "ä".repeat(bytes / 2) }) as const;
    const [whole, long] = [note(4096), note(4098)];
    await noteDomain(nodeOn(machine), { name: "vm1", uuid: UUID }, whole, long);
    expect(events()).toEqual([whole, { report: "metadata-change", type: "element" }]);
  });

  test("a note while another command has the registry, and waits a second for one that writes notes", async () => {
    const machine = makeMachine();
    const events = watching(machine);
    const note = { report: "metadata-change", type: "title" } as const;
    const unlock = await nodeOn(machine).host.lock(registryLock(SYSTEM_PATHS), 0);
    await noteDomain(nodeOn(machine), { name: "vm1", uuid: UUID }, note);
    unlock();
    expect(events()).toEqual([note]);
    await nodeOn(machine).host.lock(notesLock(SYSTEM_PATHS), 0);
    const before = machine.nowMs;
    await noteDomain(nodeOn(machine), { name: "vm1", uuid: UUID }, note);
    expect(machine.nowMs - before).toBeLessThan(2000);
    expect(events()).toEqual([]);
  });

  test("nothing of a note that cannot be written, and the work is done", async () => {
    const machine = makeMachine();
    await defineDomain(nodeOn(machine), domainXml());
    const events = watching(machine);
    const { host, ...node } = nodeOn(machine);
    const writeVolatile: typeof host.writeVolatile = (path, ...rest) => {
      if (path.startsWith(domainNotesFolder(node))) throw hostCall(`write ${path}`, "ENOSPC");
      host.writeVolatile(path, ...rest);
    };
    const full = { ...node, host: { ...host, writeVolatile } };
    await writeDescription(full, ASK, { which: "title", text: "one" });
    expect(readDescription(nodeOn(machine), ASK, "title")).toBe("one");
    expect(events()).toEqual([]);
  });
});

describe("getCompletedJob()", () => {
  const VM1 = domain("vm1", UUID);

  test("is the last one that has ended with success, also of a guest that has ended", async () => {
    const machine = await machineWithGuest();
    await defineDomain(nodeOn(machine), domainXml());
    expect(getCompletedJob(nodeOn(machine), "vm1")).toBeUndefined();
    await saveDomain(nodeOn(machine), "vm1", AS_IT_WAS);
    expect(getCompletedJob(nodeOn(machine), "vm1")).toMatchObject({ operation: "save" });
    const { payload } = await asked(nodeOn(machine), call(298, VM1 + word(1)));
    // VIR_DOMAIN_JOB_COMPLETED, eight statistics, and VIR_DOMAIN_JOB_OPERATION_SAVE
    expect(payload).toStartWith(word(3) + word(8) + text("operation") + word(1) + word(2));
    expect((await runOn(machine, "domjobinfo", "vm1", "--completed")).out).toStartWith(
      "Job type:         Completed ",
    );
  });

  test("is known for a minute after the end, though the job was an hour before", async () => {
    const machine = await machineWithGuest();
    const node = nodeOn(machine);
    await defineDomain(node, domainXml());
    const options = { format: "elf", live: false, afterwards: "go-on" } as const;
    await dumpDomain(node, "vm1", { path: FILE, options });
    await destroyDomain(node, "vm1");
    const [dumpedMs, endedMs] = [10_000_000, 13_600_000];
    const times = new Map([
      [`${domainNotesFolder(node)}/${UUID}.json`, dumpedMs],
      [`/run/svirt/ended/${UUID}`, endedMs],
    ]);
    const noteAt = async (nowMs: number): Promise<void> => {
      const inspectFile: typeof node.host.inspectFile = (path) => {
        const [facts, atMs] = [node.host.inspectFile(path), times.get(path)];
        if (facts === undefined || atMs === undefined) return facts;
        return { ...facts, times: { ...facts.times, modifiedNs: BigInt(atMs) * 1_000_000n } };
      };
      const host = { ...node.host, inspectFile, nowMs: () => nowMs };
      const note = { report: "metadata-change", type: "title" } as const;
      await noteDomain({ ...node, host }, { name: "vm2", uuid: OTHER }, note);
    };
    await noteAt(endedMs + 59_999);
    expect(getCompletedJob(node, "vm1")).toMatchObject({ operation: "dump" });
    await noteAt(endedMs + 60_001);
    expect(getCompletedJob(node, "vm1")).toBeUndefined();
  });

  test("is forgotten a minute after the end, with the next note", async () => {
    const machine = await machineWithGuest();
    await saveDomain(nodeOn(machine), "vm1", AS_IT_WAS);
    await defineDomain(nodeOn(machine), domainXml());
    const { host, ...node } = nodeOn(machine);
    const later = { ...node, host: { ...host, nowMs: () => host.nowMs() + 600_000_000_000 } };
    await noteDomain(later, { name: "vm2", uuid: OTHER }, { report: "metadata-change", type: "title" });
    expect(getCompletedJob(nodeOn(machine), "vm1")).toBeUndefined();
  });
});
