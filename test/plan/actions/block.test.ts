import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { planConclusion, planWritable } from "../../../src/plan/actions/block.ts";
import { planFiles } from "../../../src/plan/actions/start.ts";
import type { BlockJob } from "../../../src/plan/facts/block-job.ts";
import { compactSteps } from "../../../src/plan/record/compact.ts";
import { listLayers } from "../../../src/plan/record/disk-chain.ts";
import { listQemuObjects } from "../../../src/plan/record/qemu-objects.ts";
import { describe as describeStep } from "../../../src/plan/steps/describe.ts";
import { isMonitorStep, planStop, planUndo } from "../../../src/plan/steps/inverse.ts";
import { step } from "../../../src/plan/steps/kinds.ts";
import type { Step } from "../../../src/plan/steps/step.ts";

const OWN = "system_u:object_r:svirt_image_t:s0:c1,c2";
const CONTENT = "system_u:object_r:virt_content_t:s0";
const BEFORE = "system_u:object_r:images_t:s0";
const FACTS = { monitor: "/m", direct: false, labels: { private: OWN, content: CONTENT } };
const TOP = { path: "/i/top", device: "8:1", inode: "2" };
const BASE = { path: "/i/base", device: "8:1", inode: "1" };

/** Steps of a start for a disk with a qcow2 image on a raw one. */
const DONE: readonly Step[] = [
  ...planFiles([
    { id: TOP, to: OWN, original: BEFORE, sharing: "exclusive" },
    { id: BASE, to: CONTENT, original: BEFORE, sharing: "shared" },
  ]),
  {
    do: "plug",
    monitor: "/m",
    files: [
      { fd: 4, file: TOP, access: "read-write", truncate: false, direct: false },
      { fd: 5, file: BASE, access: "read-only", truncate: false, direct: false },
    ],
    commands: [
      node({ driver: "file", filename: "/dev/fdset/5", "node-name": "libvirt-2-storage", "read-only": true }),
      node({
        driver: "file",
        filename: "/dev/fdset/4",
        "node-name": "libvirt-1-storage",
        "read-only": false,
      }),
      node({
        driver: "qcow2",
        "node-name": "libvirt-1-format",
        "read-only": false,
        file: "libvirt-1-storage",
        backing: "libvirt-2-storage",
      }),
      {
        execute: "device_add",
        arguments: { driver: "virtio-blk-pci", id: "disk0", drive: "libvirt-1-format" },
      },
    ],
  },
];

const COMMIT: BlockJob = {
  type: "active-commit",
  disk: "vda",
  device: "disk0",
  job: "commit-vda-libvirt-2-storage",
  before: ["libvirt-1-format", "libvirt-2-storage"],
  chain: [{ node: "libvirt-2-storage", path: "/i/base", format: "raw", storage: "file" }],
};

function node(args: Readonly<Record<string, unknown>>) {
  return { execute: "blockdev-add", arguments: { ...args } };
}

/** Returns the last label that the steps give each file. */
function labelsAfter(steps: readonly Step[]): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const one of steps) {
    if (one.do === "set-label" || one.do === "restore-label") labels[one.file.path] = one.to ?? "";
    if (one.do === "change-label") labels[one.file.path] = one.to.label ?? "";
  }
  return labels;
}

test("listLayers() finds the images of a device with all their nodes and files, top first", () => {
  const layers = listLayers(listQemuObjects(DONE), "disk0");
  expect(layers.map(({ files, node: name, nodes }) => ({ name, nodes, files: [...files] }))).toEqual([
    { name: "libvirt-1-format", nodes: ["libvirt-1-format", "libvirt-1-storage"], files: [[4, TOP]] },
    { name: "libvirt-2-storage", nodes: ["libvirt-2-storage"], files: [[5, BASE]] },
  ]);
});

describe("planWritable()", () => {
  const steps = planWritable(DONE, "libvirt-2-storage", FACTS);

  test("makes the base the guest's own before QEMU may open it for writing", () => {
    expect(steps.map(describeStep)).toEqual([
      `label /i/base: ${CONTENT} (shared) -> ${OWN} (exclusive)`,
      "limit QEMU's access to /i/base (read-write)",
    ]);
  });

  test("is taken back by QEMU first", () => {
    expect(planUndo(steps).map(describeStep)).toEqual([
      "limit QEMU's access to /i/base (read-only)",
      `label /i/base: ${OWN} (exclusive) -> ${CONTENT} (shared)`,
    ]);
  });

  test("leaves a guest whose files keep their labels those labels", () => {
    const unlabelled = DONE.map((one) => {
      if (one.do !== "reserve") return one;
      const { label: _, ...claim } = one.claim;
      return { ...one, claim };
    });
    const [change] = planWritable(unlabelled, "libvirt-2-storage", {
      ...FACTS,
      labels: { ...FACTS.labels, private: undefined },
    });
    expect(change).toMatchObject({ do: "change-label", to: { sharing: "exclusive" } });
    expect(change?.do === "change-label" && change.to.label).toBeUndefined();
  });
});

describe("planConclusion()", () => {
  const started = compactSteps(DONE, { steps: planWritable(DONE, "libvirt-2-storage", FACTS), after: [] });
  const pivoted = planConclusion(started, { job: COMMIT, isDone: true }, FACTS);
  const kept = planConclusion(started, { job: COMMIT, isDone: false }, FACTS);

  test("of a pivot gives the overlay its label back, once QEMU has let go of it", () => {
    expect(pivoted.after.map(describeStep)).toEqual([
      "record the images of disk0: libvirt-2-storage",
      "send QEMU blockdev-del libvirt-1-format, blockdev-del libvirt-1-storage, and close set 4",
      `label /i/top: ${OWN} -> ${BEFORE}`,
      "release file inode-8:1-2 (exclusive)",
    ]);
  });

  test("of what was given up makes the base content again, once QEMU only reads it", () => {
    expect(kept.after.map(describeStep)).toEqual([
      "discard the new images of disk0",
      "limit QEMU's access to /i/base (read-only)",
      `label /i/base: ${OWN} (exclusive) -> ${CONTENT} (shared)`,
    ]);
    expect(compactSteps(started, kept)).toEqual([...DONE]);
  });

  test("leaves a record that its own schema reads, and a stop that puts every label back", () => {
    for (const plan of [pivoted, kept]) {
      const settled = compactSteps(started, plan);
      expect(v.parse(v.array(step), JSON.parse(JSON.stringify(settled)))).toEqual(settled);
      const back = labelsAfter([...settled, ...planStop(settled)]);
      expect(new Set(Object.values(back))).toEqual(new Set([BEFORE]));
    }
  });

  test("takes a stop in the middle of it back from either label, and asks nobody", () => {
    const back = planStop([...started, ...kept.after]);
    expect(back.some(isMonitorStep)).toBe(false);
    expect(back.filter((one) => one.do === "restore-label" && one.file === BASE)).toMatchObject([
      { from: CONTENT, to: BEFORE },
      { from: OWN, to: BEFORE },
    ]);
  });
});
