import { beforeEach, describe, expect, test } from "bun:test";
import { readRecord } from "../../../src/state/record.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { putPciDevices } from "../../scenes/pci.ts";
import { domainXml, failedStart, makeMachine, nodeOn, putText, UUID } from "../../scenes/scene.ts";

const PAGES = "/sys/kernel/mm/hugepages/hugepages-2048kB";
const HUGE = "<memoryBacking><hugepages/></memoryBacking>";
const NUMA = (mode: string, nodes: string): string =>
  `<numatune><memory mode='${mode}' nodeset='${nodes}'/></numatune>`;

let machine: Machine;

beforeEach(() => {
  machine = makeMachine();
  putText(machine, `${PAGES}/free_hugepages`, "32\n");
  machine.files.putFolder("/sys/devices/system/node/node0");
});

/** Starts a guest of 64 MiB. Returns its arguments and the order of its spawn step. */
async function start(more: string, devices = "") {
  await startDomain(nodeOn(machine), domainXml({ lifecycle: more, devices }));
  const spawn = readRecord(nodeOn(machine), UUID)?.steps.find((step) => step.do === "spawn");
  return { words: machine.processes.qemuOf(UUID)?.words ?? [], order: spawn?.order };
}

describe("huge pages", () => {
  test("have no name, so that there is nothing to label and nothing is left behind", async () => {
    const { words } = await start(HUGE);
    expect(words).toContain(
      '{"qom-type":"memory-backend-memfd","id":"pc.ram","hugetlb":true,"hugetlbsize":2097152,"x-use-canonical-path-for-ramblock-id":false,"prealloc":true,"size":67108864}',
    );
    expect(words.join(" ")).not.toContain("/dev/hugepages");
  });

  test("are had by each cell, also on a machine that tells cells their size alone", async () => {
    const cells = "<cpu><numa><cell id='0' cpus='0' memory='64' unit='MiB'/></numa></cpu>";
    const { words } = await start(HUGE + cells);
    expect(words.find((word) => word.includes('"id":"ram-node0"'))).toContain('"hugetlbsize":2097152');
    expect(words).not.toContain("-mem-path");
  });

  test.each([
    ["31", "Cannot give the guest 32 huge pages of 2048 KiB: the host has 31"],
    [undefined, "Cannot give the guest 32 huge pages of 2048 KiB: the host has no pages of that size"],
  ])("of which the host has %s are too few", async (free, message) => {
    machine.files.remove(PAGES);
    if (free !== undefined) putText(machine, `${PAGES}/free_hugepages`, `${free}\n`);
    expect(await failedStart(machine, { lifecycle: HUGE })).toMatchObject({ kind: "wrong-state", message });
  });
});

describe("the host's NUMA nodes", () => {
  // qemuBuildMemoryBackendProps() of libvirt. Control groups for strict: limits.test.ts
  test.each([
    ["preferred", "preferred"],
    ["interleave", "interleave"],
  ])("are told QEMU: %s", async (mode, policy) => {
    const { words } = await start(NUMA(mode, "0"));
    expect(words.find((word) => word.includes('"id":"pc.ram"'))).toContain(
      `"host-nodes":[0],"policy":"${policy}"`,
    );
  });
});

// qemuDomainGetMemLockLimitBytes() of libvirt
describe("a guest whose memory is locked", () => {
  const LOCKED = "<memoryBacking><locked/></memoryBacking>";

  test("may lock as much as it likes", async () => {
    const { order, words } = await start(LOCKED);
    expect(order?.memlockKiB).toBe("unlimited");
    expect(words).toContain("mem-lock=on");
  });

  test("with devices of the host may lock its memory and 1 GiB", async () => {
    putPciDevices(machine, [{ name: "0000:06:00.0", group: "1", driver: "vfio-pci" }]);
    const pci =
      "<hostdev type='pci'><source><address domain='0' bus='6' slot='0' function='0'/></source></hostdev>";
    expect((await start("", pci)).order?.memlockKiB).toBe(64 * 1024 + 1024 * 1024);
  });

  test("others have the host's limit", async () => {
    expect((await start("")).order).not.toHaveProperty("memlockKiB");
  });
});
