import { describe, expect, test } from "bun:test";
import { guestPaths } from "../../../src/plan/paths.ts";
import { noteJob } from "../../../src/state/jobs.ts";
import { writeRecord } from "../../../src/state/record.ts";
import { abortDomainJob, getDomainJob } from "../../../src/vm/save/domain-job.ts";
import { dumpDomain } from "../../../src/vm/save/dump-domain.ts";
import type { DomainJob } from "../../../src/vm/save/job-statistics.ts";
import { saveDomain } from "../../../src/vm/save/save-domain.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { runOn } from "../../cli/in-memory.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { asked, call, domain, errorIn, long, text, word } from "../../rpc/remote-client.ts";
import { recordOf, wholeState } from "../../scenes/hotplug.ts";
import { domainXml, errorOf, makeMachine, nodeOn, sweepAll, UUID } from "../../scenes/scene.ts";

const FILE = "/var/lib/saved";
const VM1 = domain("vm1", UUID);
const MEMORY_ONLY = { format: "elf", live: true, afterwards: "go-on" } as const;

async function machineWithGuest(): Promise<Machine> {
  const machine = makeMachine();
  await startDomain(nodeOn(machine), domainXml());
  machine.qemu = { savesForMs: 1000 };
  return machine;
}

/** Saves the guest, and does the work at each progress that svirt reports. */
async function whileSaving(machine: Machine, work: () => void): Promise<void> {
  await saveDomain(nodeOn(machine), "vm1", { path: FILE, resumes: undefined, onProgress: work });
}

const jobFiles = (machine: Machine): readonly string[] =>
  ["job", "abort"].filter((name) => machine.files.find(`/run/svirt/${UUID}/${name}`) !== undefined);

/** Makes the state of a machine on which another process, whose lock `unlock` releases, saves the guest. */
async function savedByAnother(machine: Machine) {
  const node = nodeOn(machine);
  const guest = recordOf(machine);
  const { lock, monitor } = guestPaths(node.paths, UUID);
  const unlock = await node.host.lock(lock, 0);
  const change = { what: "save", stage: "doing", after: [], xml: guest.xml } as const;
  const step = { do: "save-memory", monitor, to: FILE } as const;
  writeRecord(node, { ...guest, change: { ...change, after: [], steps: [step] } });
  const startedMs = node.host.nowMs() - 1500;
  noteJob(node, UUID, { operation: "save", startedMs, doneBytes: 60, totalBytes: 100 });
  return { node, unlock };
}

// Words and numbers of libvirt's qemu_driver.c, libvirt-domain.h and tools/virsh-domain.c.

describe("the job of a save", () => {
  test("is seen by other processes with QEMU's numbers, and ends with the save", async () => {
    const machine = await machineWithGuest();
    const seen: (DomainJob | undefined)[] = [];
    await whileSaving(machine, () => void seen.push(getDomainJob(nodeOn(machine), "vm1")));
    expect(seen.length).toBeGreaterThan(10);
    for (const job of seen) expect(job).toMatchObject({ operation: "save", doneBytes: 60, totalBytes: 100 });
    expect(seen.at(-1)?.elapsedMs ?? 0).toBeGreaterThan(seen[0]?.elapsedMs ?? 0);
    expect(jobFiles(machine)).toEqual([]);
    expect((await errorOf(Promise.try(() => getDomainJob(nodeOn(machine), "vm1")))).kind).toBe("not-found");
  });

  test("is shown by domjobinfo, virDomainGetJobInfo() and virDomainGetJobStats()", async () => {
    const machine = await machineWithGuest();
    const { node, unlock } = await savedByAnother(machine);
    const shown = await runOn(machine, "domjobinfo", "vm1");
    const info = await asked(node, call(163, VM1));
    const stats = await asked(node, call(298, VM1 + word(0)));
    expect(errorIn(await asked(node, call(164, VM1)))).toBeUndefined();
    expect(jobFiles(machine)).toEqual(["job", "abort"]);
    unlock();
    // A process that was killed in the middle carries no job out.
    expect((await runOn(machine, "domjobinfo", "vm1")).out).toStartWith("Job type:         None ");
    await sweepAll(machine);
    expect(jobFiles(machine)).toEqual([]);
    expect(shown.out).toMatch(
      /^Job type: {9}Unbounded {3}\nOperation: {8}Save {8}\nTime elapsed: {5}\d+ +ms\n/,
    );
    expect(shown.out).toContain(
      "Data processed:   60.000 B\nData remaining:   40.000 B\nData total:       100.000 B\n",
    );
    // type, then elapsed and remaining time, and data in all, done and to do.
    expect(info.payload).toStartWith(word(2));
    expect(info.payload).toContain(long(0n) + long(100n) + long(60n) + long(40n) + long(100n) + long(60n));
    expect(stats.payload).toStartWith(word(2) + word(8) + text("operation") + word(1) + word(2));
    expect(stats.payload).toContain(text("memory_remaining") + word(4) + long(40n));
  });

  test("is none before and after it", async () => {
    const machine = await machineWithGuest();
    expect((await runOn(machine, "domjobinfo", "vm1")).out).toBe("Job type:         None        \n\n");
    expect((await asked(nodeOn(machine), call(298, VM1 + word(0)))).payload).toBe(word(0) + word(0));
    expect((await runOn(machine, "domjobabort", "vm1")).err).toContain(
      "Requested operation is not valid: no job is active on the domain",
    );
    expect(jobFiles(machine)).toEqual([]);
  });

  test("is aborted by another process: the save fails, and the guest runs as before", async () => {
    const machine = await machineWithGuest();
    const before = wholeState(machine);
    const failed = whileSaving(machine, () => abortDomainJob(nodeOn(machine), "vm1"));
    expect(await errorOf(failed)).toMatchObject({
      message: "operation aborted: domain save job: canceled by client",
      libvirt: { code: 78, domain: 10 },
    });
    expect(jobFiles(machine)).toEqual([]);
    expect(wholeState(machine)).toEqual(before);
    expect(machine.processes.qemuOf(UUID)?.status).toBe("running");
    // The next save does not take the abortion for its own.
    await whileSaving(machine, () => undefined);
    expect(machine.processes.qemuOf(UUID)).toBeUndefined();
  });
});

test("a dump of memory alone has a job that is not aborted, in libvirt's words", async () => {
  const machine = await machineWithGuest();
  const refused: string[] = [];
  await dumpDomain(nodeOn(machine), "vm1", {
    path: FILE,
    options: MEMORY_ONLY,
    onProgress() {
      expect(getDomainJob(nodeOn(machine), "vm1")).toMatchObject({ operation: "dump" });
      try {
        abortDomainJob(nodeOn(machine), "vm1");
      } catch (error) {
        refused.push((error as Error).message);
      }
    },
  });
  expect(refused[0]).toBe("Requested operation is not valid: cannot abort memory-only dump");
});
