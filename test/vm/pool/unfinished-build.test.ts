import { expect, test } from "bun:test";
import { fileKey } from "../../../src/plan/facts/file-key.ts";
import { writeChange } from "../../../src/state/changes/changes.ts";
import { type Instance, registryOf } from "../../../src/state/instance.ts";
import { settleChanges } from "../../../src/vm/object-change/settle.ts";
import { planPoolBuild } from "../../../src/vm/pool/build-pool.ts";
import { definePool } from "../../../src/vm/pool/define-pool.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { hanging, machineWithBoth } from "../../scenes/hanging-server.ts";
import { NET } from "../../scenes/mounted-pools.ts";
import { poolXml, TARGET } from "../../scenes/pools.ts";
import { makeMachine, nodeOn, OTHER } from "../../scenes/scene.ts";

const LABEL = "security.selinux";
const IMAGES = "system_u:object_r:virt_image_t:s0";
const GUESTS = "system_u:object_r:svirt_image_t:s0:c1,c2";
const PERMISSIONS = `<mode>0750</mode><owner>107</owner><group>36</group><label>${IMAGES}</label>`;

/** Records the build of a pool, as a killed svirt leaves it before its first step. */
async function beginBuild(node: Instance, xml: Uint8Array): Promise<void> {
  await definePool(node, xml);
  const change = await planPoolBuild(node, "images", {});
  if (change?.commit === undefined || change.commit === "repeat") throw new Error("The build has no record");
  writeChange(node, { ...change, commit: change.commit });
}

/** Returns a machine with a killed build that has made the pool's folder. */
async function machineWithFolder(): Promise<Machine> {
  const machine = makeMachine();
  await beginBuild(nodeOn(machine), poolXml(TARGET));
  machine.files.putFolder(TARGET, 0o711);
  return machine;
}

test("an unfinished build leaves nothing of an empty folder, but a guest's folder", async () => {
  const machine = await machineWithFolder();
  const node = nodeOn(machine);
  const id = node.host.inspectFile(TARGET)?.id;
  const claim = { kind: "file", key: id === undefined ? "" : fileKey(id), sharing: "exclusive" } as const;
  registryOf(node).reserve(claim, OTHER);
  expect(await settleChanges(node)).toMatchObject({ names: ["pool-build images"], errors: [] });
  expect(machine.files.find(TARGET)).toBeDefined();
  registryOf(node).release(claim, OTHER);
  const unused = await machineWithFolder();
  await settleChanges(nodeOn(unused));
  expect(unused.files.find(TARGET)).toBeUndefined();
});

test("an unfinished build restores no permissions that were changed after it", async () => {
  const machine = makeMachine();
  const folder = machine.files.putFolder(TARGET, 0o755);
  folder.xattrs.set(LABEL, "system_u:object_r:var_t:s0");
  await beginBuild(nodeOn(machine), poolXml(TARGET, { permissions: PERMISSIONS }));
  // The build has set all of them, then an administrator the mode, and the start of a guest the label.
  Object.assign(folder, { uid: 107, gid: 36, mode: 0o700 });
  folder.xattrs.set(LABEL, GUESTS);
  expect(await settleChanges(nodeOn(machine))).toMatchObject({ names: ["pool-build images"], errors: [] });
  expect([folder.uid, folder.gid, folder.mode, folder.xattrs.get(LABEL)]).toEqual([0, 0, 0o700, GUESTS]);
});

test("an unfinished build on a silent server waits two seconds for it, and stays", async () => {
  const machine = await machineWithBoth();
  const { locked, node } = hanging(machine);
  writeChange(node, {
    object: { kind: "pool", key: OTHER },
    what: "pool-build images",
    steps: [{ do: "make-pool-folder", path: `${NET}/images`, mode: 0o711 }],
    commit: "end",
  });
  machine.mounts.silent.add(NET);
  const began = machine.nowMs;
  const { errors, names } = await settleChanges(node);
  expect([names, errors.map(({ kind }) => kind), locked]).toEqual([[], ["timeout"], []]);
  expect(machine.nowMs - began).toBe(2000);
  machine.mounts.silent.clear();
  expect((await settleChanges(nodeOn(machine))).names).toEqual(["pool-build images"]);
});
