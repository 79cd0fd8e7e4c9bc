import { describe, expect, test } from "bun:test";
import { fileKey } from "../../../src/plan/facts/file-key.ts";
import { SYSTEM_PATHS } from "../../../src/plan/paths.ts";
import { runStep } from "../../../src/run/steps/run-step.ts";
import { registryOf } from "../../../src/state/instance.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { makeMachine, OTHER, UUID } from "../../scenes/scene.ts";

const USER = 1_879_048_193;
const CONTEXT = "system_u:system_r:svirt_t:s0:c1,c2";

function actorOn(machine: Machine) {
  const { host, svirt } = machine.svirt();
  const registry = registryOf({ host, paths: SYSTEM_PATHS });
  return { svirt, actor: { host, registry, owner: UUID, uid: USER, context: CONTEXT } };
}

describe("the check of a guest's context", () => {
  const check = { do: "check-context", context: CONTEXT } as const;

  test("fails where no process of the guest is there", async () => {
    const machine = makeMachine();
    machine.processes.add({
      uid: USER + 1,
      context: CONTEXT,
      command: "qemu-system-x86",
      words: ["q", OTHER],
    });
    await expect(runStep(actorOn(machine).actor, check)).rejects.toThrow(
      `Cannot confine the guest in ${CONTEXT}: its process has ended`,
    );
  });

  test("fails where one process of several has another context, and passes where all have it", async () => {
    const machine = makeMachine();
    const add = (context: string) =>
      machine.processes.add({ uid: USER, context, command: "qemu-system-x86", words: ["q", UUID] });
    add(CONTEXT);
    await runStep(actorOn(machine).actor, check);
    const other = add("system_u:system_r:svirt_manager_t:s0");
    await expect(runStep(actorOn(machine).actor, check)).rejects.toThrow(
      `process ${other.pid} has the context system_u:system_r:svirt_manager_t:s0`,
    );
  });
});

describe("a device node whose label changes while its guest runs", () => {
  const PATH = "/dev/vdb";
  const RULE = `/run/udev/rules.d/99-svirt-${UUID}-block-254-16.rules`;
  const CONTENT = "system_u:object_r:virt_content_t:s0";

  test("has the rule of udev changed first, so that udevd does not label it as it was", async () => {
    const machine = makeMachine();
    const { actor, svirt } = actorOn(machine);
    const file = actor.host.inspectFile(PATH)?.id;
    if (file === undefined) throw new Error(`${PATH} is not there`);
    const from = { kind: "file", key: fileKey(file), sharing: "exclusive", label: "a:b:c:s0" } as const;
    const to = { ...from, sharing: "shared", label: CONTENT } as const;
    actor.registry.reserve(from, UUID);
    const before = svirt.changes.length;
    const udevRule = { path: RULE, type: "block" } as const;
    await runStep(actor, { do: "change-label", file, from, to, udevRule });
    expect(actor.host.readText(RULE)).toContain(`ENV{MINOR}=="16", SECLABEL{selinux}="${CONTENT}"`);
    expect(machine.files.get(PATH).xattrs.get("security.selinux")).toBe(CONTENT);
    const made = svirt.changes.slice(before).filter((name) => name === "writeText" || name === "setXattr");
    expect([made[0], made.slice(1).includes("setXattr")]).toEqual(["writeText", true]);
  });
});
