import { expect, test } from "bun:test";
import { SvirtError } from "../../../src/errors.ts";
import { registryLock, SYSTEM_PATHS } from "../../../src/plan/paths.ts";
import type { Instance } from "../../../src/state/instance.ts";
import { readRecords } from "../../../src/state/record.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { recoverBefore } from "../../../src/vm/recover/recover-before.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { makeSharedStorage, NET, OWN_DISKS } from "../../scenes/mounted-pools.ts";
import { diskXml, domainXml, errorOf, nodeOn, OTHER, sweepAll } from "../../scenes/scene.ts";

const [DISK, OTHERS] = OWN_DISKS;
const LIMIT_MS = 30_000;

/** Returns svirt on a machine whose server does not answer, so that each unmount takes its whole time. */
function silentOn(machine: Machine): Instance {
  const node = nodeOn(machine);
  node.host.unmount = async (_above, path, limitMs = LIMIT_MS) => {
    machine.pass(limitMs);
    throw new SvirtError(`Cannot unmount ${path}: there was no answer`, { kind: "timeout", remedy: "Wait." });
  };
  return node;
}

test("mounts that a silent server keeps delay another command by two seconds in all, and end with the next answer", async () => {
  const machine = await makeSharedStorage();
  await startDomain(nodeOn(machine), domainXml({ disks: diskXml(DISK, "vda") }));
  await startDomain(nodeOn(machine), domainXml({ name: "vm2", uuid: OTHER, disks: diskXml(OTHERS, "vda") }));
  for (const name of ["vm1", "vm2"])
    expect((await errorOf(destroyDomain(silentOn(machine), name))).kind).toBe("timeout");
  for (const keys of [["another"], "all"] as const) {
    const began = machine.nowMs;
    const { errors } = await recoverBefore(silentOn(machine), keys);
    expect(errors.map(({ kind }) => kind)).toEqual(["timeout", "timeout"]);
    expect(machine.nowMs - began).toBeLessThanOrEqual(2000);
  }
  await sweepAll(machine);
  expect(machine.mounts.list().map(({ path }) => path)).toEqual([NET]);
  expect(readRecords(nodeOn(machine))).toEqual([]);
});

test("the end of a guest asks the server of its mount for nothing under the registry's lock", async () => {
  const machine = await makeSharedStorage();
  await startDomain(nodeOn(machine), domainXml({ disks: diskXml(DISK, "vda") }));
  const node = nodeOn(machine);
  const { inspectFile, withAttributes, withInspected } = node.host;
  const asked: string[] = [];
  const noted = (path: string): string => {
    if (path.startsWith(NET) && machine.locks.has(registryLock(SYSTEM_PATHS))) asked.push(path);
    return path;
  };
  node.host.inspectFile = (path) => inspectFile(noted(path));
  node.host.withAttributes = (file, use) => withAttributes({ ...file, path: noted(file.path) }, use);
  node.host.withInspected = (path, use) => withInspected(noted(path), use);
  await destroyDomain(node, "vm1");
  expect(asked).toEqual([]);
  expect(machine.mounts.list().map(({ path }) => path)).toEqual([NET]);
});

test("guests whose QEMUs the kernel keeps after SIGKILL delay another command by two seconds in all, and end with the next answer", async () => {
  const machine = await makeSharedStorage();
  await startDomain(nodeOn(machine), domainXml({ disks: diskXml(DISK, "vda") }));
  await startDomain(nodeOn(machine), domainXml({ name: "vm2", uuid: OTHER, disks: diskXml(OTHERS, "vda") }));
  machine.qemu = { isImmortal: true };
  for (const name of ["vm1", "vm2"])
    expect((await errorOf(destroyDomain(nodeOn(machine), name))).kind).toBe("timeout");
  for (const keys of [["another"], "all"] as const) {
    const began = machine.nowMs;
    const { errors } = await recoverBefore(nodeOn(machine), keys);
    expect(errors.map(({ kind }) => kind)).toEqual(["timeout", "timeout"]);
    expect(machine.nowMs - began).toBeLessThanOrEqual(2100);
  }
  expect(readRecords(nodeOn(machine))).toHaveLength(2);
  machine.qemu = {};
  await sweepAll(machine);
  expect(machine.mounts.list().map(({ path }) => path)).toEqual([NET]);
  expect(readRecords(nodeOn(machine))).toEqual([]);
});
