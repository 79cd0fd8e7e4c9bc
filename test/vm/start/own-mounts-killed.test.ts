import { describe, expect, test } from "bun:test";
import { SvirtError } from "../../../src/errors.ts";
import { readRecord } from "../../../src/state/record.ts";
import { auditNode } from "../../../src/vm/audit/audit-node.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { destroyPool } from "../../../src/vm/pool/start-pool.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { LABELS, makeSharedStorage, NET, OWN_DISKS } from "../../scenes/mounted-pools.ts";
import { diskXml, domainXml, errorOf, nodeOn, OTHER, sweepAll, UUID } from "../../scenes/scene.ts";
import { leavesNothing, type Work } from "../../scenes/strikes.ts";

const [DISK] = OWN_DISKS;
const one = domainXml({ disks: diskXml(DISK, "vda") });
const TIMEOUT_MS = 60_000;

function mountPointsOf(machine: Machine): readonly string[] {
  return machine.mounts.list().map(({ path }) => path);
}

test("a mount in use at the guest's end stays recorded, and the next call removes it", async () => {
  const machine = await makeSharedStorage();
  await defineDomain(nodeOn(machine), one);
  await startDomain(nodeOn(machine), one);
  machine.mounts.busy.add(`${NET}/one`);
  const { kind } = await errorOf(destroyDomain(nodeOn(machine), "vm1"));
  expect([kind, mountPointsOf(machine).length, readRecord(nodeOn(machine), UUID)?.state]).toEqual([
    "in-use",
    2,
    "stopping",
  ]);
  const other = domainXml({ name: "vm2", uuid: OTHER, disks: diskXml(DISK, "vda") });
  expect((await errorOf(startDomain(nodeOn(machine), other))).kind).toBe("in-use");
  expect((await auditNode(nodeOn(machine))).findings).toEqual([
    "vm1: has ended and is not cleaned up; run svirt recover",
  ]);
  const pool = await errorOf(destroyPool(nodeOn(machine), "net"));
  expect([pool.kind, pool.message]).toEqual(["in-use", expect.stringContaining("the guest vm1 uses")]);
  machine.mounts.busy.clear();
  await sweepAll(machine);
  expect([mountPointsOf(machine), readRecord(nodeOn(machine), UUID)]).toEqual([[NET], undefined]);
});

test("a start that fails unmounts once, also if the server does not answer", async () => {
  const machine = await makeSharedStorage();
  const shared = machine.files.put(`${NET}/shared.raw`, "file", { bytes: new Uint8Array(512) });
  shared.xattrs.set("security.selinux", LABELS.content);
  const node = nodeOn(machine);
  const asked: string[] = [];
  node.host.unmount = async (_above, path) => {
    asked.push(path);
    throw new SvirtError(`Cannot unmount ${path}: there was no answer`, { kind: "timeout", remedy: "Wait." });
  };
  const disks = diskXml(DISK, "vda") + diskXml(`${NET}/shared.raw`, "vdb", "<shareable/>");
  const { message } = await errorOf(startDomain(node, domainXml({ disks })));
  expect(message).toContain("undoing the start failed as well: Cannot unmount");
  expect([asked, readRecord(node, UUID)?.state]).toEqual([[`${NET}/one`], "stopping"]);
  await sweepAll(machine);
  expect([mountPointsOf(machine), readRecord(node, UUID)]).toEqual([[NET], undefined]);
});

test("nothing is left of a guest with a mount when the machine is rebooted", async () => {
  const machine = await makeSharedStorage();
  await startDomain(nodeOn(machine), one);
  machine.reboot();
  expect([await sweepAll(machine), mountPointsOf(machine)]).toEqual([["vm1"], []]);
  expect(readRecord(nodeOn(machine), UUID)).toBeUndefined();
});

const start: Work = (node) => startDomain(node, one);
const destroy: Work = (node) => destroyDomain(node, "vm1");

async function running(): Promise<Machine> {
  const machine = await makeSharedStorage();
  await start(nodeOn(machine));
  return machine;
}

describe.each([
  { name: "a start with a mount", prepare: () => makeSharedStorage(), work: start },
  { name: "the end of a guest with a mount", prepare: running, work: destroy },
])("$name killed before, within and after every call", (subject) => {
  test(
    "leaves nothing that the next svirt does not clear away",
    async () => {
      const ended = await running();
      await destroy(nodeOn(ended));
      const clean = snapshot(ended).map((line) => line.replace(/^\d+ |(?<=^process )\d+ /, ""));
      await leavesNothing(subject, { clean, end: destroy });
    },
    TIMEOUT_MS,
  );
});
