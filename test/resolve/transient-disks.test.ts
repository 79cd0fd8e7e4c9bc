import { beforeEach, describe, expect, test } from "bun:test";
import { guestPaths, SYSTEM_PATHS } from "../../src/plan/paths.ts";
import { removeStrayOverlays } from "../../src/resolve/transient-disks.ts";
import { readRecord } from "../../src/state/record.ts";
import { auditNode } from "../../src/vm/audit/audit-node.ts";
import { destroyDomain } from "../../src/vm/end/destroy.ts";
import { saveDomain } from "../../src/vm/save/save-domain.ts";
import { planDomainStart, startDomain } from "../../src/vm/start/start.ts";
import { type Machine, snapshot } from "../memory-host/machine.ts";
import { sampleOf } from "../sample.ts";
import {
  diskXml,
  domainXml,
  errorOf,
  failedStart,
  labelOf,
  makeMachine,
  nodeOn,
  ORIGINAL,
  sweepAll,
  UUID,
} from "../scenes/scene.ts";
import { beStruck, instantsOf, leavesNothing, type Work, withoutInodes } from "../scenes/strikes.ts";

/** Time for hundreds of kills: a busy machine needs more than the runner's five seconds. */
const TIMEOUT_MS = 120_000;
// https://libvirt.org/formatdomain.html#hard-drives-floppy-disks-cdroms transient
const TRANSIENT = diskXml("/var/lib/images/private1.raw", "vda", "<transient/>");
const CHAIN = diskXml("/var/lib/images/top.qcow2", "vdb", "<transient/>");
const FOLDER = `/var/lib/svirt/transient/${UUID}`;
const CONTENT = "system_u:object_r:virt_content_t:s0";

let machine: Machine;

beforeEach(() => {
  machine = makeMachine();
  machine.files.putFolder("/var/lib/svirt/transient", 0o700);
});

const start = (options: object = {}) =>
  startDomain(nodeOn(machine), domainXml({ disks: TRANSIENT + CHAIN, ...options }));

describe("a transient disk", () => {
  test("is an overlay of the guest's own, on images that it only reads", async () => {
    await start();
    const image = readRecord(nodeOn(machine), UUID)?.label.imageLabel;
    expect([labelOf(machine, `${FOLDER}/vda.qcow2`), labelOf(machine, `${FOLDER}/vdb.qcow2`)]).toEqual([
      image,
      image,
    ]);
    const below = ["private1.raw", "top.qcow2", "base.raw"].map((name) =>
      labelOf(machine, `/var/lib/images/${name}`),
    );
    expect(below).toEqual([CONTENT, CONTENT, CONTENT]);
    const spawn = readRecord(nodeOn(machine), UUID)?.steps.find((step) => step.do === "spawn");
    const writable = spawn?.order.files.filter(
      ({ access, file }) => access !== "read-only" && !file.path.startsWith("/dev"),
    );
    expect(writable?.map(({ file }) => file.path)).toEqual([`${FOLDER}/vda.qcow2`, `${FOLDER}/vdb.qcow2`]);
    expect((await auditNode(nodeOn(machine))).findings).toEqual([]);
  });

  test("forgets what the guest has written when it ends, and leaves the images as they were", async () => {
    const before = snapshot(machine);
    await start();
    machine.files.get(`${FOLDER}/vda.qcow2`).bytes = new Uint8Array(1_000_000);
    await destroyDomain(nodeOn(machine), "vm1");
    expect(snapshot(machine)).toEqual(before);
    await start();
    expect(machine.files.get(`${FOLDER}/vda.qcow2`).bytes.length).toBeLessThan(1_000_000);
  });

  test("is one of several guests' on one image", async () => {
    await start();
    const other = { name: "vm2", uuid: UUID.replace(/1$/, "2") };
    await start(other);
    await destroyDomain(nodeOn(machine), "vm1");
    expect(labelOf(machine, "/var/lib/images/private1.raw")).toBe(CONTENT);
    await destroyDomain(nodeOn(machine), "vm2");
    expect(labelOf(machine, "/var/lib/images/private1.raw")).toBe(ORIGINAL);
  });

  test("is not a disk that another guest writes to", async () => {
    const other = { name: "vm2", uuid: UUID.replace(/1$/, "2") };
    await start({ ...other, disks: diskXml("/var/lib/images/private1.raw", "vda") });
    expect(await failedStart(machine, { disks: TRANSIENT })).toMatchObject({ kind: "in-use" });
  });

  test("stands in the plan of a start, which makes nothing", async () => {
    const before = snapshot(machine);
    const steps = await planDomainStart(nodeOn(machine), domainXml({ disks: TRANSIENT + CHAIN }));
    expect(steps).toContainEqual({ do: "make-folder", path: FOLDER, mode: 0o700, uid: 0 });
    const labelled = steps.flatMap((step) => (step.do === "set-label" ? [step.file.path] : []));
    expect(labelled.slice(0, 3)).toEqual([
      `${FOLDER}/vda.qcow2`,
      "/var/lib/images/private1.raw",
      `${FOLDER}/vdb.qcow2`,
    ]);
    expect(snapshot(machine)).toEqual(before);
  });

  test("keeps its name in the guest's XML, so that it is transient at each start", async () => {
    await start();
    const { xml } = readRecord(nodeOn(machine), UUID) ?? { xml: "" };
    expect(xml).toContain("/var/lib/images/private1.raw");
    expect(xml).toContain("<transient/>");
    expect(xml).not.toContain(FOLDER);
  });

  // qemuMigrationSrcIsAllowed() of libvirt: "migration with transient disk is not supported"
  test("is not saved: the state would outlive what it goes with", async () => {
    await start();
    const error = await errorOf(
      saveDomain(nodeOn(machine), "vm1", { path: "/var/lib/images/saved", resumes: undefined }),
    );
    expect(error.message).toBe(
      "Requested operation is not valid: cannot save domain 'vm1' with transient disk 'vda'",
    );
  });

  test("is refused where its image is not there", async () => {
    const error = await failedStart(machine, {
      disks: diskXml("/var/lib/images/none.raw", "vda", "<transient/>"),
    });
    expect(error).toMatchObject({ kind: "not-found" });
  });
});

test("overlays without a record are removed, but not those of a start that begins just then", async () => {
  const [node, starter] = [nodeOn(machine), nodeOn(machine)];
  const { lock, record } = guestPaths(SYSTEM_PATHS, UUID);
  machine.files.putFolder(FOLDER, 0o700);
  const host = {
    ...node.host,
    readText(path: string) {
      if (path === record) machine.locks.set(lock, starter.svirt);
      return node.host.readText(path);
    },
  };
  await removeStrayOverlays({ ...node, host });
  expect(machine.files.find(FOLDER)).toBeDefined();
  starter.svirt.exit();
  await removeStrayOverlays(node);
  expect(machine.files.find(FOLDER)).toBeUndefined();
});

describe("killed before, within and after every call that changes something,", () => {
  const begin: Work = (node) => startDomain(node, domainXml({ disks: TRANSIENT + CHAIN }));
  const end: Work = (node) => destroyDomain(node, "vm1");
  const fresh = async (): Promise<Machine> => {
    const made = makeMachine();
    made.files.putFolder("/var/lib/svirt/transient", 0o700);
    return made;
  };
  const running = async (): Promise<Machine> => {
    const made = await fresh();
    await begin(nodeOn(made));
    return made;
  };

  test.each([
    ["a start", fresh, begin],
    ["an end", running, end],
  ])(
    "%s of a guest with transient disks leaves no overlay",
    async (name, prepare, work) => {
      await leavesNothing({ name, prepare, work }, { clean: withoutInodes(await fresh()), end });
    },
    TIMEOUT_MS,
  );

  test(
    "by a power failure too",
    async () => {
      for (const strike of sampleOf(await instantsOf(fresh, begin))) {
        machine = await fresh();
        await beStruck(machine, begin, strike);
        machine.reboot();
        await sweepAll(machine);
        expect([strike, machine.files.find(FOLDER)]).toEqual([strike, undefined]);
        expect([strike, labelOf(machine, "/var/lib/images/private1.raw")]).toEqual([strike, ORIGINAL]);
      }
    },
    TIMEOUT_MS,
  );
});
