import { expect, test } from "bun:test";
import { imageSize, physicalSize } from "../../src/resolve/image-size.ts";
import { qcow2Bytes } from "../images/qcow2-bytes.ts";
import { makeMachine, nodeOn, putText } from "../scenes/scene.ts";

function scene() {
  const machine = makeMachine();
  const node = nodeOn(machine);
  const inspected = (path: string, format: "raw" | "qcow2" = "raw") => {
    const facts = node.host.inspectFile(path);
    if (facts === undefined) throw new Error(`${path} is not there`);
    return { path, format, facts };
  };
  return { machine, node, inspected };
}

test("a device is as large as the kernel says, in sectors of 512 bytes, and not of a size that it does not say", () => {
  const { inspected, machine, node } = scene();
  const device = inspected("/dev/vdb");
  const file = `/sys/dev/block/${device.facts.id.node}/size`;
  putText(machine, file, "2048\n");
  expect([imageSize(node, device), physicalSize(node, device)]).toEqual([1_048_576, 1_048_576]);
  for (const text of ["0\n", "x\n", "-1\n"]) {
    putText(machine, file, text);
    expect(() => physicalSize(node, device)).toThrow("Cannot read the size of /dev/vdb");
  }
});

test("a raw image is its file, or the part of it, to the end of a sector; a qcow2 image tells its own size", () => {
  const { inspected, machine, node } = scene();
  putText(machine, "/srv/a.raw", "x".repeat(513));
  const raw = inspected("/srv/a.raw");
  expect([imageSize(node, raw), physicalSize(node, raw)]).toEqual([1024, 513]);
  expect(imageSize(node, { ...raw, slice: { offset: 0, size: 512 } })).toBe(512);
  machine.files.put("/srv/a.qcow2", "file", { bytes: qcow2Bytes({}) });
  expect(imageSize(node, inspected("/srv/a.qcow2", "qcow2"))).toBe(1_048_576);
});
