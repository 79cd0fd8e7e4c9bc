import { describe, expect, test } from "bun:test";
import { fileKey } from "../../../src/plan/facts/file-key.ts";
import { SYSTEM_PATHS } from "../../../src/plan/paths.ts";
import { planStop } from "../../../src/plan/steps/inverse.ts";
import type { Step } from "../../../src/plan/steps/step.ts";
import type { Actor } from "../../../src/run/actor.ts";
import { getFileLabel } from "../../../src/run/labels/get-file-label.ts";
import { NO_OBSERVER, runPlan } from "../../../src/run/steps/run-plan.ts";
import { undo } from "../../../src/run/steps/undo-plan.ts";
import { registryOf } from "../../../src/state/instance.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import type { Strike } from "../../memory-host/svirt.ts";
import { labelOf, makeMachine, ORIGINAL } from "../../scenes/scene.ts";

const SHARED = "/var/lib/images/shared.raw";
const PRIVATE = "system_u:object_r:svirt_image_t:s0:c1,c2";
const CONTENT = "system_u:object_r:virt_content_t:s0";

function actorOn(machine: Machine, owner = "one", strike?: Strike): Actor {
  const { host } = machine.svirt(strike);
  return { host, registry: registryOf({ host, paths: SYSTEM_PATHS }), owner, uid: 1_879_048_193 };
}

/** Returns the steps that reserve and label a file. */
function labelSteps(machine: Machine, path: string, to: string): Step[] {
  const file = machine.svirt().host.inspectFile(path)?.id;
  if (file === undefined) throw new Error(`${path} is not there`);
  const sharing = to === PRIVATE ? "exclusive" : "shared";
  const claim = { kind: "file", key: fileKey(file), sharing, label: to, original: ORIGINAL } as const;
  return [
    { do: "reserve", claim },
    { do: "set-label", file, claim, from: ORIGINAL, to },
  ];
}

function privateSteps(machine: Machine): Step[] {
  return [1, 2, 3].flatMap((at) => labelSteps(machine, `/var/lib/images/private${at}.raw`, PRIVATE));
}

describe("runPlan()", () => {
  test("restores every label when call N fails, for every N", async () => {
    const counting = makeMachine();
    const { host, svirt } = counting.svirt();
    const actor = { ...actorOn(counting), host, registry: registryOf({ host, paths: SYSTEM_PATHS }) };
    await runPlan(actor, privateSteps(counting), NO_OBSERVER);
    expect(svirt.changes.length).toBeGreaterThan(15);
    for (let at = 1; at <= svirt.changes.length; at += 1) {
      const machine = makeMachine();
      const before = snapshot(machine);
      const steps = privateSteps(machine);
      const failing = actorOn(machine, "one", { at, moment: "before", how: "fail" });
      await expect(runPlan(failing, steps, NO_OBSERVER)).rejects.toThrow("EIO");
      const undone = await undo(failing, planStop(steps), NO_OBSERVER);
      expect(undone).toEqual({ errors: [], left: [] });
      expect(snapshot(machine)).toEqual(before);
    }
  });

  test("remembers the original on the file, in the reference implementation's names, and for how many", async () => {
    const machine = makeMachine();
    await runPlan(actorOn(machine, "one"), labelSteps(machine, SHARED, CONTENT), NO_OBSERVER);
    await runPlan(actorOn(machine, "two"), labelSteps(machine, SHARED, CONTENT), NO_OBSERVER);
    expect(Object.fromEntries(machine.files.get(SHARED).xattrs)).toEqual({
      "security.selinux": CONTENT,
      "trusted.libvirt.security.selinux": ORIGINAL,
      "trusted.libvirt.security.ref_selinux": "2",
      "trusted.libvirt.security.timestamp_selinux": String(machine.bootSeconds),
      "trusted.svirt.boot_id": machine.bootId,
      "trusted.svirt.inode": machine.files.find(SHARED)?.inode.inode ?? "none",
      [`trusted.svirt.machine.${machine.id}`]: `${machine.bootId} ${machine.name}`,
    });
  });
});

describe("undo()", () => {
  test("goes on after a step that fails, and tells which is still to be done", async () => {
    const machine = makeMachine();
    const steps = privateSteps(machine);
    await runPlan(actorOn(machine), steps, NO_OBSERVER);
    const undone = await undo(
      actorOn(machine, "one", { at: 1, moment: "before", how: "fail" }),
      planStop(steps),
      NO_OBSERVER,
    );
    expect(undone.errors).toHaveLength(1);
    expect(undone.left).toEqual(planStop(steps).slice(0, 1));
    expect([1, 2, 3].map((at) => labelOf(machine, `/var/lib/images/private${at}.raw`))).toEqual([
      ORIGINAL,
      ORIGINAL,
      PRIVATE,
    ]);
  });

  test("leaves a shared file its label until the last of its users is gone", async () => {
    const machine = makeMachine();
    const before = snapshot(machine);
    const steps = labelSteps(machine, SHARED, CONTENT);
    await runPlan(actorOn(machine, "one"), steps, NO_OBSERVER);
    await runPlan(actorOn(machine, "two"), steps, NO_OBSERVER);
    await undo(actorOn(machine, "one"), planStop(steps), NO_OBSERVER);
    expect(labelOf(machine, SHARED)).toBe(CONTENT);
    expect(machine.files.get(SHARED).xattrs.get("trusted.libvirt.security.ref_selinux")).toBe("1");
    await undo(actorOn(machine, "two"), planStop(steps), NO_OBSERVER);
    expect(snapshot(machine)).toEqual(before);
  });

  test("leaves a label that somebody else has set meanwhile", async () => {
    const machine = makeMachine();
    const steps = labelSteps(machine, SHARED, CONTENT);
    await runPlan(actorOn(machine), steps, NO_OBSERVER);
    machine.files.get(SHARED).xattrs.set("security.selinux", "system_u:object_r:admins_t:s0");
    await undo(actorOn(machine), planStop(steps), NO_OBSERVER);
    expect(labelOf(machine, SHARED)).toBe("system_u:object_r:admins_t:s0");
  });

  test("leaves a file alone that another one has replaced meanwhile, and one that is gone", async () => {
    const machine = makeMachine();
    const steps = [
      ...labelSteps(machine, SHARED, CONTENT),
      ...labelSteps(machine, "/var/lib/images/install.iso", CONTENT),
    ];
    await runPlan(actorOn(machine), steps, NO_OBSERVER);
    machine.files.put(SHARED, "file").xattrs.set("security.selinux", CONTENT);
    machine.files.remove("/var/lib/images/install.iso");
    expect((await undo(actorOn(machine), planStop(steps), NO_OBSERVER)).errors).toEqual([]);
    expect(labelOf(machine, SHARED)).toBe(CONTENT);
    expect(registryOf({ host: machine.svirt().host, paths: SYSTEM_PATHS }).listAll()).toEqual([]);
  });
});

describe("a file that is swapped between inspection and label", () => {
  test("is refused, and the other file is left as it is", async () => {
    const machine = makeMachine();
    const steps = labelSteps(machine, SHARED, CONTENT);
    machine.files.put(SHARED, "file").xattrs.set("security.selinux", "system_u:object_r:shadow_t:s0");
    await expect(runPlan(actorOn(machine), steps, NO_OBSERVER)).rejects.toThrow("the file was replaced");
    expect([...machine.files.get(SHARED).xattrs]).toEqual([
      ["security.selinux", "system_u:object_r:shadow_t:s0"],
    ]);
  });

  test("is refused when a symlink was put there: what it leads to is left as it is", async () => {
    const machine = makeMachine();
    const steps = labelSteps(machine, SHARED, CONTENT);
    machine.files.put("/etc/shadow", "file").xattrs.set("security.selinux", "system_u:object_r:shadow_t:s0");
    machine.files.put(SHARED, "symlink", { target: "/etc/shadow" });
    await expect(runPlan(actorOn(machine), steps, NO_OBSERVER)).rejects.toThrow("the file was replaced");
    expect(labelOf(machine, "/etc/shadow")).toBe("system_u:object_r:shadow_t:s0");
  });
});

test("a file system that keeps no labels is refused with what can be done about it", async () => {
  const machine = makeMachine();
  machine.files.put("/nfs", "folder", { mode: 0o755, fileSystem: { device: "0:50", keepsLabels: false } });
  machine.files.put("/nfs/a.raw", "file");
  const steps = labelSteps(machine, "/nfs/a.raw", CONTENT);
  const error = await runPlan(actorOn(machine), steps, NO_OBSERVER).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ kind: "denied", remedy: expect.stringContaining(`context="${CONTENT}"`) });
  const { host } = machine.svirt();
  const file = host.inspectFile("/nfs/a.raw")?.id;
  expect(file === undefined ? "missing" : getFileLabel(host, file)).toBeUndefined();
});
