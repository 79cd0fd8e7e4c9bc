import { describe, expect, test } from "bun:test";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { commitOn } from "../../scenes/block.ts";
import {
  type DomainOptions,
  diskXml,
  domainXml,
  failedStart,
  labelOf,
  makeMachine,
  nodeOn,
  ORIGINAL,
  OTHER,
  reapAll,
  staticLabel,
  sweepAll,
  UUID,
} from "../../scenes/scene.ts";
import { strikeEverywhere } from "../../scenes/strikes.ts";

const CONTENT = "system_u:object_r:virt_content_t:s0";

async function rangeOf(machine: Machine, options: DomainOptions): Promise<string> {
  const { guest } = await startDomain(nodeOn(machine), domainXml(options));
  return guest.label.label?.split(":").slice(3).join(":") ?? "none";
}

describe("two guests", () => {
  const SHARED = "/var/lib/images/shared.raw";
  const PRIVATE = "/var/lib/images/private1.raw";

  test("may not write to one private disk, and the first keeps its label", async () => {
    const machine = makeMachine();
    await startDomain(nodeOn(machine), domainXml({ disks: diskXml(PRIVATE, "vda") }));
    const label = labelOf(machine, PRIVATE);
    const error = await failedStart(machine, { name: "vm2", uuid: OTHER, disks: diskXml(PRIVATE, "vda") });
    expect([error.kind, labelOf(machine, PRIVATE)]).toEqual(["in-use", label ?? "none"]);
  });

  // Weakness 3 of libvirt: the second guest removes the label from the first guest's disk.
  test.each([
    ["read-only", "<readonly/>"],
    ["shareable", "<shareable/>"],
  ])("may not share a disk that one has for itself as %s", async (_, extra) => {
    const machine = makeMachine();
    await startDomain(nodeOn(machine), domainXml({ disks: diskXml(PRIVATE, "vda") }));
    const error = await failedStart(machine, {
      name: "vm2",
      uuid: OTHER,
      disks: diskXml(PRIVATE, "vda", extra),
    });
    expect(error.kind).toBe("in-use");
  });

  test("may not use one file as shareable and as read-only: the labels differ", async () => {
    const machine = makeMachine();
    await startDomain(nodeOn(machine), domainXml({ disks: diskXml(SHARED, "vda", "<shareable/>") }));
    const error = await failedStart(machine, {
      name: "vm2",
      uuid: OTHER,
      disks: diskXml(SHARED, "vda", "<readonly/>"),
    });
    expect(error.kind).toBe("in-use");
    expect(error.message).toEndWith("uses that file as system_u:object_r:svirt_image_t:s0");
    expect(labelOf(machine, SHARED)).toBe("system_u:object_r:svirt_image_t:s0");
  });

  test("read one file, which gets its label back when the last of them is gone", async () => {
    const machine = makeMachine();
    const before = snapshot(machine);
    const disks = diskXml("/var/lib/images/install.iso", "vda", "<readonly/>");
    await startDomain(nodeOn(machine), domainXml({ disks }));
    await startDomain(nodeOn(machine), domainXml({ name: "vm2", uuid: OTHER, disks }));
    await destroyDomain(nodeOn(machine), "vm1");
    expect(labelOf(machine, "/var/lib/images/install.iso")).toBe(CONTENT);
    await destroyDomain(nodeOn(machine), "vm2");
    await reapAll(machine);
    expect(snapshot(machine)).toEqual(before);
  });

  test("that end at once both let go of a file that they read, and it gets its label back", async () => {
    const machine = makeMachine();
    const uuids = Array.from({ length: 8 }, (_, at) => `${UUID.slice(0, -1)}${at}`);
    for (const [at, uuid] of uuids.entries()) {
      const disks = diskXml("/var/lib/images/base.raw", "vda", "<readonly/>");
      await startDomain(nodeOn(machine), domainXml({ name: `vm${at}`, uuid, disks }));
    }
    expect(labelOf(machine, "/var/lib/images/base.raw")).toBe(CONTENT);
    await Promise.all(uuids.map((uuid) => destroyDomain(nodeOn(machine), uuid)));
    expect(labelOf(machine, "/var/lib/images/base.raw")).toBe(ORIGINAL);
  });

  test("of one name do not run, whatever their uuids", async () => {
    const machine = makeMachine();
    await startDomain(nodeOn(machine), domainXml());
    const error = await failedStart(machine, { uuid: OTHER });
    expect(error.message).toBe(`operation failed: domain 'vm1' already exists with uuid ${UUID}`);
  });

  test("of one name that are started at once do not both run", async () => {
    const machine = makeMachine();
    const both = [UUID, OTHER].map((uuid) => startDomain(nodeOn(machine), domainXml({ uuid })));
    const done = await Promise.allSettled(both);
    expect(done.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(machine.liveGuests()).toHaveLength(1);
  });
});

test("a file that cannot remember is given back its label all the same: the claims of its users know it", async () => {
  const machine = makeMachine();
  const path = "/var/lib/images/install.iso";
  const disks = diskXml(path, "vda", "<readonly/>");
  await startDomain(nodeOn(machine), domainXml({ disks }));
  const { xattrs } = machine.files.get(path);
  for (const name of xattrs.keys()) if (name.startsWith("trusted.")) xattrs.delete(name);
  await startDomain(nodeOn(machine), domainXml({ name: "vm2", uuid: OTHER, disks }));
  await destroyDomain(nodeOn(machine), "vm1");
  await destroyDomain(nodeOn(machine), "vm2");
  expect([...xattrs]).toEqual([["security.selinux", ORIGINAL]]);
});

describe("a level", () => {
  test("that a static definition names is given to nobody else", async () => {
    const machine = makeMachine();
    const preferred = await rangeOf(machine, {});
    await destroyDomain(nodeOn(machine), "vm1");
    await defineDomain(
      nodeOn(machine),
      domainXml({ name: "vm2", uuid: OTHER, seclabel: staticLabel(preferred) }),
    );
    expect(await rangeOf(machine, {})).not.toBe(preferred);
  });

  test("that a process of another tool runs with is given to no guest", async () => {
    const machine = makeMachine();
    const preferred = await rangeOf(machine, {});
    await destroyDomain(nodeOn(machine), "vm1");
    machine.processes.add({ command: "containerd", context: `system_u:system_r:container_t:${preferred}` });
    expect(await rangeOf(machine, {})).not.toBe(preferred);
  });

  test("that a running guest has cannot be taken by a static label", async () => {
    const machine = makeMachine();
    const range = await rangeOf(machine, {});
    const error = await failedStart(machine, { name: "vm2", uuid: OTHER, seclabel: staticLabel(range) });
    expect(error).toMatchObject({ kind: "in-use", exitCode: 5 });
  });

  test("is there for each of 28 guests with 8 categories, and the 29th is told that there is none", async () => {
    const machine = makeMachine();
    machine.ownContext = "system_u:system_r:svirt_manager_t:s0-s0:c0.c7";
    const ranges = new Set<string>();
    const options = (at: number): DomainOptions => ({
      name: `vm${at}`,
      uuid: `33333333-2222-4333-8444-${String(at).padStart(12, "0")}`,
    });
    for (let at = 1; at <= 28; at += 1) ranges.add(await rangeOf(machine, options(at)));
    expect(ranges.size).toBe(28);
    const error = await failedStart(machine, options(29));
    expect(error.message).toBe("Cannot choose a level: all 28 pairs of categories are in use");
    await destroyDomain(nodeOn(machine), "vm7");
    expect(ranges).toContain(await rangeOf(machine, options(29)));
  });
});

test("after two power failures a guest that is cleared away leaves another's memory of a base image", async () => {
  const machine = makeMachine();
  const { bytes } = machine.files.get("/var/lib/images/top.qcow2");
  machine.files.put("/var/lib/images/top2.qcow2", "file", { bytes }).xattrs.set("security.selinux", ORIGINAL);
  const one = domainXml({ disks: diskXml("/var/lib/images/top.qcow2", "vda") });
  const two = domainXml({ name: "vm2", uuid: OTHER, disks: diskXml("/var/lib/images/top2.qcow2", "vda") });
  await defineDomain(nodeOn(machine), one);
  await startDomain(nodeOn(machine), one);
  // The commit makes the base writable for the first guest, with another label than for the second one.
  await commitOn(nodeOn(machine));
  machine.reboot();
  await startDomain(nodeOn(machine), two);
  machine.reboot();
  await startDomain(nodeOn(machine), one);
  await sweepAll(machine);
  await destroyDomain(nodeOn(machine), UUID);
  await reapAll(machine);
  expect(labelOf(machine, "/var/lib/images/base.raw")).toBe(ORIGINAL);
});

test.each([
  // Clears the first guest away while the second one's claim still exists.
  ["the first guest is started", UUID],
  // Nothing clears the first guest away in between: its record alone has the original label.
  ["it is started again at once", OTHER],
])(
  "a power failure, then another guest's start killed at any instant, %s: their private disk gets its label back",
  async (_, next) => {
    const path = "/var/lib/images/private1.raw";
    const disks = diskXml(path, "vda");
    const xmlOf = (uuid: string) => domainXml(uuid === OTHER ? { name: "vm2", uuid, disks } : { disks });
    const prepare = async (): Promise<Machine> => {
      const machine = makeMachine();
      await startDomain(nodeOn(machine), xmlOf(UUID));
      machine.reboot();
      return machine;
    };
    const work = (node: ReturnType<typeof nodeOn>): Promise<unknown> => startDomain(node, xmlOf(OTHER));
    await strikeEverywhere({ name: "start", prepare, work }, "crash", async (machine, place) => {
      await startDomain(nodeOn(machine), xmlOf(next)).catch(() => undefined);
      await sweepAll(machine);
      for (const uuid of [UUID, OTHER]) await destroyDomain(nodeOn(machine), uuid).catch(() => undefined);
      await reapAll(machine);
      expect([place, labelOf(machine, path)]).toEqual([place, ORIGINAL]);
    });
  },
);
