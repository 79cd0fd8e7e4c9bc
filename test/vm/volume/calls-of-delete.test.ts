import { expect, test } from "bun:test";
import type { Host } from "../../../src/host/host.ts";
import { deleteVolume } from "../../../src/vm/volume/delete-volume.ts";
import { extension, qcow2Bytes } from "../../images/qcow2-bytes.ts";
import { nodeOn } from "../../scenes/scene.ts";
import { IMAGES, makePoolMachine } from "../../scenes/volumes.ts";

/** Calls by which volumes are found and read. */
const COUNTED: ReadonlySet<string> = new Set(["listFolder", "inspectFile", "readBytes", "judgeBeginnings"]);

/** Counts the calls about volumes of a deletion beside that many others, each half raw and half above one base. */
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
