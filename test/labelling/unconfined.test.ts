import { describe, expect, test } from "bun:test";
import { startDomain } from "../../src/vm/start/start.ts";
import type { Machine } from "../memory-host/machine.ts";
import {
  ALL_KINDS,
  domainXml,
  failedStart,
  labelOf,
  makeMachine,
  nodeOn,
  ORIGINAL,
  UUID,
} from "../scenes/scene.ts";

const NONE = "<seclabel type='none' model='selinux'/>";

describe("without confinement", () => {
  const allow = (machine: Machine): void => {
    machine.files.put("/etc/svirt/svirt.conf", "file", {
      bytes: new TextEncoder().encode("security_require_confined = 0\n"),
    });
  };
  const disableSelinux = (machine: Machine): void => {
    machine.selinux = { mode: "disabled", policyName: undefined };
  };

  test("no guest starts where SELinux is off", async () => {
    const machine = makeMachine();
    disableSelinux(machine);
    const error = await failedStart(machine, {});
    expect(error.message).toBe("Cannot confine the guest: the kernel runs without SELinux");
  });

  test("no guest starts where SELinux is off and only the settings allow it", async () => {
    const machine = makeMachine();
    disableSelinux(machine);
    allow(machine);
    expect((await failedStart(machine, {})).kind).toBe("denied");
  });

  test("no guest starts where only its XML says so, in the reference's words", async () => {
    const error = await failedStart(makeMachine(), { seclabel: NONE });
    expect(error.message).toBe("unsupported configuration: Unconfined guests are not allowed on this host");
  });

  test("a guest starts where both say so, and nothing is labelled", async () => {
    const machine = makeMachine();
    disableSelinux(machine);
    allow(machine);
    const { guest } = await startDomain(nodeOn(machine), domainXml({ disks: ALL_KINDS, seclabel: NONE }));
    expect(guest.label).toEqual({ model: "none", type: "none", relabel: false });
    expect(labelOf(machine, "/var/lib/images/top.qcow2")).toBe(ORIGINAL);
    expect(machine.processes.qemuOf(UUID)?.status).toBe("running");
  });

  test("in permissive mode a guest starts with its labels, and the record says that nothing is enforced", async () => {
    const machine = makeMachine();
    machine.selinux = { mode: "permissive", policyName: "svirt" };
    const { guest } = await startDomain(nodeOn(machine), domainXml({ disks: ALL_KINDS }));
    expect(guest.enforcing).toBe(false);
    expect(labelOf(machine, "/var/lib/images/top.qcow2")).toBe(guest.label.imageLabel ?? "none");
  });

  test("a setting that is not understood stops the start", async () => {
    const machine = makeMachine();
    machine.files.put("/etc/svirt/svirt.conf", "file", {
      bytes: new TextEncoder().encode("require_confined = 0\n"),
    });
    expect((await failedStart(machine, { seclabel: NONE })).message).toContain(
      "line 1 has an unknown setting",
    );
  });
});
