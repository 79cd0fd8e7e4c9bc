import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { UNCONFINED } from "../../../src/label/none-model.ts";
import { planStart, type StartDecision } from "../../../src/plan/actions/start.ts";
import { fileKey, PENDING_FILE } from "../../../src/plan/facts/file-key.ts";
import { guestPaths, SYSTEM_PATHS } from "../../../src/plan/paths.ts";
import { describe as describeStep } from "../../../src/plan/steps/describe.ts";
import { inverse, planStop } from "../../../src/plan/steps/inverse.ts";
import { step } from "../../../src/plan/steps/kinds.ts";
import type { Step } from "../../../src/plan/steps/step.ts";

const UUID = "11111111-2222-4333-8444-000000000001";
const DISK = { path: "/images/a.raw", device: "8:1", inode: "7" };
const NODE = { path: "/dev/vdb", device: "0:6", inode: "9", node: "254:16" };
const paths = guestPaths(SYSTEM_PATHS, UUID);
const DECISION: StartDecision = {
  uid: 1_879_048_193,
  label: {
    ...UNCONFINED,
    model: "selinux",
    label: "system_u:system_r:svirt_t:s0:c1,c2",
    imageLabel: "system_u:object_r:svirt_image_t:s0:c1,c2",
    range: "s0:c1,c2",
  },
  paths,
  files: [
    { id: DISK, to: "private:label:of:the_guest", original: "old:label:of:a", sharing: "exclusive" },
    { id: NODE, to: undefined, original: undefined, sharing: "shared" },
  ],
  sockets: [
    {
      named: "/srv/a.sock",
      path: "/srv/a.sock",
      folder: { path: "/srv", device: "8:1", inode: "5" },
      label: "private:label:of:the_guest",
    },
  ],
  grants: [{ file: NODE, access: "read-write" }],
  helpers: [],
  links: [],
  overlays: undefined,
  trees: [
    {
      id: { path: "/srv/all", device: "8:1", inode: "6" },
      access: "read-write",
      to: "private:label:of:the_guest",
      original: "old:label:of:folder",
      sharing: "exclusive",
    },
  ],
  assigned: [
    { path: "/var/lib/svirt/tpm/a", label: "private:label:of:the_guest", original: "old:label:of:svirt" },
  ],
  order: {
    uuid: UUID,
    program: "/usr/bin/qemu-system-x86_64",
    words: [],
    environment: {},
    context: "system_u:system_r:svirt_t:s0:c1,c2",
    uid: 1_879_048_193,
    folder: paths.folder,
    workFolder: paths.workFolder,
    logFile: "/var/log/svirt/a.log",
    sockets: [{ fd: 3, path: paths.monitor }],
    files: [],
  },
  hasTerminals: false,
  commands: [{ execute: "cont" }],
};
const STEPS = planStart(DECISION);

describe("step", () => {
  const known = [...STEPS, ...planStop(STEPS)];

  test.each(known.map((each) => [each.do, each] as const))("takes %s", (_, each) => {
    expect(v.parse(step, each)).toEqual(each);
  });

  test.each(known.map((each) => [each.do, each] as const))("refuses %s with more in it", (_, each) => {
    expect(v.is(step, { ...each, more: 1 })).toBe(false);
  });

  test.each([{ do: "toString" }, { do: "no" }, {}, null, "reserve", ["reserve"]])("refuses %j", (value) => {
    expect(v.is(step, value)).toBe(false);
  });
});

describe("planStart()", () => {
  test("reserves all before it touches anything, labels all before QEMU starts, and checks before vCPUs run", () => {
    expect(STEPS.map((each) => (each.do === "reserve" ? `reserve ${each.claim.kind}` : each.do))).toEqual([
      "reserve level",
      "reserve uid",
      "reserve file",
      "reserve file",
      "reserve file",
      "reserve file",
      "make-folder",
      "make-folder",
      "set-label",
      "assign-folder",
      "share-tree",
      "grant",
      "expect-socket",
      "spawn",
      "greet",
      "revoke",
      "check-context",
      "resume",
    ]);
  });

  test("gives the guest's own folder to its user with its image label, and svirt's to root", () => {
    const folders = STEPS.filter((each) => each.do === "make-folder");
    expect(folders.map(({ label, path, uid }) => ({ label, path, uid }))).toEqual([
      { path: `/run/svirt/${UUID}`, uid: 0, label: undefined },
      {
        path: `/run/svirt/${UUID}/guest`,
        uid: 1_879_048_193,
        label: "system_u:object_r:svirt_image_t:s0:c1,c2",
      },
    ]);
  });

  test("bounds the guest's own folder, and takes away at its end what is mounted there, where root starts it", () => {
    const own = `/run/svirt/${UUID}/guest`;
    const madeFor = (uid: number) =>
      planStart({ ...DECISION, uid }).find((each) => each.do === "make-folder" && each.path === own);
    const made = madeFor(DECISION.uid);
    expect(made).toMatchObject({ limit: { bytes: 64 * 1024 * 1024, inodes: 1024 } });
    expect(made === undefined ? undefined : inverse(made)).toEqual({
      do: "remove-folder",
      path: own,
      isMounted: true,
    });
    const ofSession = madeFor(1000);
    expect(ofSession).not.toHaveProperty("limit");
    expect(ofSession === undefined ? undefined : inverse(ofSession)).toEqual({
      do: "remove-folder",
      path: own,
    });
  });

  test("for a guest that is not confined reserves no level and checks no context", () => {
    const steps = planStart({ ...DECISION, label: UNCONFINED });
    expect(steps.filter((each) => each.do === "check-context")).toEqual([]);
    expect(steps.filter((each) => each.do === "reserve" && each.claim.kind === "level")).toEqual([]);
  });

  test("makes steps that a record can keep", () => {
    for (const each of STEPS) expect(v.parse(step, JSON.parse(JSON.stringify(each)))).toEqual(each);
  });
});

test("fileKey() knows a block device by its number, whichever node leads to it, and a file by its inode", () => {
  expect(fileKey(NODE)).toBe(fileKey({ ...NODE, path: "/dev/disk/x", inode: "10" }));
  expect(fileKey(DISK)).not.toBe(fileKey({ ...DISK, inode: "8" }));
  expect(fileKey(DISK)).not.toBe(fileKey({ ...DISK, device: "8:2" }));
});

describe("describe()", () => {
  test("tells a file by its number, and one that is still to be made by what makes it", () => {
    const reserve = (key: string): string =>
      describeStep({ do: "reserve", claim: { kind: "file", key, sharing: "exclusive" } });
    expect(reserve(fileKey({ path: "/a", device: "8:1", inode: "2" }))).toBe(
      "reserve file inode-8:1-2 (exclusive)",
    );
    expect(reserve(fileKey({ path: "/a", ...PENDING_FILE }))).toBe(
      "reserve file that the start creates (exclusive)",
    );
  });
});

describe("inverse()", () => {
  test("of a label puts back what was there, from what was set", () => {
    const done = STEPS.find((each) => each.do === "set-label");
    const back = done === undefined ? undefined : inverse(done);
    expect(back).toMatchObject({
      do: "restore-label",
      file: DISK,
      from: "private:label:of:the_guest",
      to: "old:label:of:a",
    });
  });

  test("of an inverse is nothing: what takes back is not taken back itself", () => {
    for (const each of STEPS) {
      const back = inverse(each);
      if (back !== undefined) expect(inverse(back)).toBeUndefined();
    }
  });
});

describe("planStop()", () => {
  test("ends the guest first, then removes its folders, and gives its level free last", () => {
    expect(
      planStop(STEPS).map((each) => (each.do === "release" ? `release ${each.claim.kind}` : each.do)),
    ).toEqual([
      "kill",
      "unshare-tree",
      "remove-folder",
      "remove-folder",
      "remove-socket",
      "revoke",
      "reclaim-folder",
      "restore-label",
      "release file",
      "release file",
      "release file",
      "release file",
      "release uid",
      "release level",
    ]);
  });

  test("of a stop is nothing", () => {
    expect(planStop(planStop(STEPS))).toEqual([]);
  });
});

describe("describe()", () => {
  const file = DISK;
  const claim = { kind: "file", key: "k", sharing: "exclusive" } as const;
  test.each<[Step, string]>([
    [{ do: "set-label", file, claim, from: "a:b:c", to: "d:e:f" }, "label /images/a.raw: a:b:c -> d:e:f"],
    [{ do: "set-label", file, claim, to: "d:e:f" }, "label /images/a.raw: (no label) -> d:e:f"],
    [{ do: "restore-label", file, claim, from: "d:e:f" }, "label /images/a.raw: d:e:f -> (no label)"],
  ])("of %j shows the label before and after", (shown, line) => {
    expect(describeStep(shown)).toBe(line);
  });

  test("gives every step of a start one line", () => {
    for (const each of STEPS) expect(describeStep(each)).toMatch(/^[^\n]+$/);
  });
});
