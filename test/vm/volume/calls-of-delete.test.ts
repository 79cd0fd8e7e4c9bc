import { describe, expect, test } from "bun:test";
import type { Host } from "../../../src/host/host.ts";
import { registryLock, SYSTEM_PATHS } from "../../../src/plan/paths.ts";
import { deleteVolume } from "../../../src/vm/volume/delete-volume.ts";
import { extension, qcow2Bytes } from "../../images/qcow2-bytes.ts";
import { errorOf, nodeOn, OTHER } from "../../scenes/scene.ts";
import { activatePool, IMAGES, makePoolMachine } from "../../scenes/volumes.ts";

/** Calls by which volumes are found and read. */
const COUNTED: ReadonlySet<string> = new Set(["listFolder", "inspectFile", "readBytes", "judgeBeginnings"]);

/**
 * Counts the calls about volumes of a deletion beside that many others, each half raw and half above one
 * base.
 */
async function countCalls(others: number): Promise<ReadonlyMap<string, number>> {
  const machine = makePoolMachine();
  const overlay = qcow2Bytes({ backingFile: "base.raw", extensions: [[extension.backingFormat, "raw"]] });
  for (let at = 0; at < others; at += 1)
    machine.files.put(`${IMAGES}/other-${at}`, "file", at % 2 === 0 ? {} : { bytes: overlay });
  const node = nodeOn(machine);
  const calls = new Map<string, number>();
  const host = new Proxy(node.host, {
    get(all: Host, name: keyof Host) {
      if (COUNTED.has(name)) calls.set(name, (calls.get(name) ?? 0) + 1);
      return all[name];
    },
  });
  await deleteVolume({ ...node, host }, { key: "private1.raw", pool: "images" });
  return calls;
}

test("the calls of a deletion do not depend on the number of volumes", async () => {
  const few = await countCalls(10);
  expect(few.get("judgeBeginnings")).toBeGreaterThan(0);
  expect(await countCalls(1000)).toEqual(few);
});

/** Deletes a volume, and tells of each look at these paths whether the registry's lock was held. */
async function looksOf(machine: ReturnType<typeof makePoolMachine>, paths: readonly string[]) {
  const node = nodeOn(machine);
  const lock = registryLock(node.paths);
  const looks: string[] = [];
  const look = (path: string, how = ""): void => {
    if (paths.includes(path)) looks.push(`${how}${path} ${node.host.isLocked(lock) ? "locked" : "free"}`);
  };
  const host: Host = {
    ...node.host,
    judgeBeginnings(folder, length, judge) {
      look(folder.path, "read ");
      return node.host.judgeBeginnings(folder, length, judge);
    },
    inspectFile(path) {
      look(path);
      return node.host.inspectFile(path);
    },
  };
  await deleteVolume({ ...node, host }, { key: "private1.raw", pool: "images" });
  return looks;
}

const overlayOf = (backingFile: string) =>
  qcow2Bytes({ backingFile, extensions: [[extension.backingFormat, "raw"]] });

describe("a deletion reads the headers", () => {
  test("once, under the lock, of a folder beside svirt's own files whose volumes name no other", async () => {
    const machine = makePoolMachine();
    for (const name of [...machine.files.get(IMAGES).entries.keys()])
      if (name !== "private1.raw") machine.files.remove(`${IMAGES}/${name}`);
    machine.files.put(`${IMAGES}/other`, "file", {});
    machine.files.putFolder(SYSTEM_PATHS.state);
    const looks = await looksOf(machine, [IMAGES]);
    expect(looks.filter((one) => one.startsWith("read"))).toEqual([`read ${IMAGES} locked`]);
  });

  test("of a folder of another file system without the lock first", async () => {
    const machine = makePoolMachine();
    machine.files.put("/srv", "folder", { fileSystem: { device: "0:77", keepsLabels: true } });
    machine.files.putFolder("/srv/net");
    activatePool(nodeOn(machine), { name: "net", folder: "/srv/net", uuid: OTHER });
    const looks = await looksOf(machine, ["/srv/net"]);
    expect(looks.filter((one) => one.startsWith("read"))).toEqual([
      ...["read /srv/net free", "read /srv/net locked"],
    ]);
  });

  test("and follows what they name without the lock before it does so under the lock", async () => {
    const machine = makePoolMachine();
    machine.files.put(`${IMAGES}/top`, "file", { bytes: overlayOf("/net/base") });
    const looks = await looksOf(machine, ["/net/base"]);
    expect([...new Set(looks)]).toEqual(["/net/base free", "/net/base locked"]);
  });

  test("again under the lock if a call has made a volume above it meanwhile", async () => {
    const machine = makePoolMachine();
    const node = nodeOn(machine);
    let isMade = false;
    const host: Host = {
      ...node.host,
      async lock(path, timeoutMs) {
        const unlock = await node.host.lock(path, timeoutMs);
        if (!isMade)
          machine.files.put(`${IMAGES}/top`, "file", { bytes: overlayOf(`${IMAGES}/private1.raw`) });
        isMade = true;
        return unlock;
      },
    };
    const deletion = deleteVolume({ ...node, host }, { key: "private1.raw", pool: "images" });
    expect((await errorOf(deletion)).message).toContain(`the volume ${IMAGES}/top needs it`);
  });
});
