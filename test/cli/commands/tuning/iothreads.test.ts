import { describe, expect, test } from "bun:test";
import { formatSteps } from "../../../../src/plan/steps/describe.ts";
import { writeRecord } from "../../../../src/state/record.ts";
import type { Machine } from "../../../memory-host/machine.ts";
import { machineWithGroups } from "../../../scenes/groups.ts";
import { recordOf } from "../../../scenes/hotplug.ts";
import { diskXml, domainXml, nodeOn, sweepAll, UUID } from "../../../scenes/scene.ts";
import { runOn } from "../../in-memory.ts";

const DISK = diskXml("/var/lib/images/private1.raw", "vda").replace("<driver ", "<driver iothread='1' ");

async function runningMachine(lifecycle = "<iothreads>1</iothreads>"): Promise<Machine> {
  const machine = machineWithGroups();
  machine.files.put("/vm.xml", "file", { bytes: domainXml({ lifecycle, disks: DISK }) });
  await runOn(machine, "define", "/vm.xml");
  await runOn(machine, "start", "vm1");
  return machine;
}

const inactive = async (machine: Machine): Promise<string> =>
  (await runOn(machine, "dumpxml", "vm1", "--inactive")).out;
const active = async (machine: Machine): Promise<string> => (await runOn(machine, "dumpxml", "vm1")).out;
const objects = (machine: Machine): readonly string[] =>
  (machine.processes.qemuOf(UUID)?.devices?.list() ?? []).filter((line) => line.includes("iothread"));

// Messages are those of libvirt's domain_driver.c and qemu_driver.c: virDomainDriverAddIOThreadCheck(),
// virDomainDriverDelIOThreadCheck() and others.

describe("iothreadadd and iothreaddel", () => {
  test("add a thread to the running guest and to the definition, and remove it", async () => {
    const machine = await runningMachine();
    const before = [recordOf(machine), objects(machine)];
    const both = ["--live", "--config"];
    expect(await runOn(machine, "iothreadadd", "vm1", "4", ...both)).toEqual({ code: 0, out: "\n", err: "" });
    expect(objects(machine)).toContain("other iothread4");
    for (const xml of [await active(machine), await inactive(machine)])
      expect(xml).toContain("<iothreads>2</iothreads>");
    expect(await runOn(machine, "iothreaddel", "vm1", "4", ...both)).toMatchObject({ code: 0, err: "" });
    expect([formatSteps(recordOf(machine).steps), objects(machine)]).toEqual([
      formatSteps((before[0] as ReturnType<typeof recordOf>).steps),
      before[1] as readonly string[],
    ]);
    expect(await inactive(machine)).toContain("<iothreads>1</iothreads>");
  });

  test("take back a thread whose adding was killed half way", async () => {
    const machine = await runningMachine();
    const before = recordOf(machine);
    await runOn(machine, "iothreadadd", "vm1", "4", "--live", "--crash-drill", "after:1").catch(
      () => undefined,
    );
    expect(objects(machine)).toContain("other iothread4");
    await sweepAll(machine);
    expect(objects(machine)).not.toContain("other iothread4");
    expect(recordOf(machine)).toEqual(before);
  });

  test.each([
    [["iothreadadd", "vm1", "0"], "Invalid IOThread id value: '0'"],
    [["iothreadadd", "vm1", "1"], "an IOThread is already using iothread_id '1'"],
    [["iothreaddel", "vm1", "7"], "cannot find IOThread '7' in iothreadids list"],
    [["iothreaddel", "vm1", "1"], "cannot remove IOThread 1 since it is being used by disk 'vda'"],
    [["iothreadpin", "vm1", "7", "1"], "iothread 7 not found"],
    [["iothreadset", "vm1", "1"], "Not enough arguments passed, nothing to set"],
    [["iothreadset", "vm1", "7", "--poll-grow", "1"], "cannot find IOThread '7' in iothreadids list"],
  ])("%p is refused, and changes nothing", async (words, message) => {
    const machine = await runningMachine();
    for (const where of ["--live", "--config"]) {
      const before = [recordOf(machine), await inactive(machine), objects(machine)];
      const { code, err } = await runOn(machine, ...words, where);
      expect(err).toContain(message);
      expect(code).toBeGreaterThan(1);
      expect([recordOf(machine), await inactive(machine), objects(machine)]).toEqual(before);
    }
  });

  test("refuse a thread that would have no limit in the running guest", async () => {
    const machine = await runningMachine();
    const guest = recordOf(machine);
    const quota = "<cputune><iothread_quota>50000</iothread_quota></cputune><os>";
    writeRecord(nodeOn(machine), { ...guest, xml: guest.xml.replace("<os>", quota) });
    expect((await runOn(machine, "iothreadadd", "vm1", "4", "--live")).err).toContain("<iothread_quota>");
    expect((await runOn(machine, "iothreadadd", "vm1", "4", "--config")).code).toBe(0);
  });
});

test("iothreadpin pins a thread of the guest, and r in the definition removes the pin", async () => {
  const machine = await runningMachine();
  machine.files.putFolder(`/proc/${machine.processes.qemuOf(UUID)?.pid}/task/4711`);
  machine.qemu = { answers: new Map([["query-iothreads", [{ id: "iothread1", "thread-id": 4711 }]]]) };
  expect(await runOn(machine, "iothreadpin", "vm1", "1", "2", "--live", "--config")).toMatchObject({
    err: "",
  });
  expect(machine.threads.get(4711)?.cpus).toEqual([2]);
  expect(await inactive(machine)).toContain("<iothreadpin iothread='1' cpuset='2'/>");
  await runOn(machine, "iothreadpin", "vm1", "1", "r", "--config");
  expect(await inactive(machine)).not.toContain("iothreadpin");
  expect(await active(machine)).toContain("<iothreadpin iothread='1' cpuset='2'/>");
});

test("iothreadset changes what QEMU and the definition have, the pool's greatest size first if it grows", async () => {
  const machine = await runningMachine();
  const words = ["--poll-max-ns", "5000", "--thread-pool-min", "70", "--thread-pool-max", "80"];
  expect((await runOn(machine, "iothreadset", "vm1", "1", ...words, "--dry-run")).out).toBe(
    [
      "  1  send QEMU qom-set /objects/iothread1 poll-max-ns=5000",
      "  2  send QEMU qom-set /objects/iothread1 thread-pool-max=80",
      "  3  send QEMU qom-set /objects/iothread1 thread-pool-min=70\n",
    ].join("\n"),
  );
  await runOn(machine, "iothreadset", "vm1", "1", ...words, "--crash-drill", "after:3").catch(
    () => undefined,
  );
  await sweepAll(machine);
  const properties = machine.processes.qemuOf(UUID)?.devices?.properties;
  // QEMU's defaults: iothread.c, util/thread-pool.c
  expect([...(properties ?? [])]).toEqual([
    ["/objects/iothread1 poll-max-ns", 32_768],
    ["/objects/iothread1 thread-pool-max", 64],
    ["/objects/iothread1 thread-pool-min", 0],
  ]);
  await runOn(machine, "iothreadset", "vm1", "1", ...words, "--live", "--config");
  expect(properties?.get("/objects/iothread1 thread-pool-min")).toBe(70);
  for (const xml of [await active(machine), await inactive(machine)]) {
    expect(xml).toContain("thread_pool_min='70' thread_pool_max='80'");
    expect(xml).toContain("<poll max='5000'/>");
  }
});
