import { describe, expect, test } from "bun:test";
import { SYSTEM_PATHS } from "../../src/plan/paths.ts";
import { examineNode } from "../../src/report/doctor.ts";
import { makeMachine, nodeOn } from "../scenes/scene.ts";

// Hosts on which svirt is installed in part, as a stock Debian 13 was seen without svirt's policy module, and
// after it.

const LABEL = "security.selinux";
const QEMU = "/usr/bin/qemu-system-x86_64";
const LOG_RULE = "/var/log/svirt(/.*)?\tsystem_u:object_r:svirt_log_t:s0\n";

const found = async (machine: ReturnType<typeof makeMachine>, check: string) =>
  (await examineNode(nodeOn(machine).host, SYSTEM_PATHS)).find((finding) => finding.check === check);

function withLog(label: string): ReturnType<typeof makeMachine> {
  const machine = makeMachine();
  machine.files.putFolder("/etc/selinux/svirt/contexts/files");
  machine.files.put("/etc/selinux/svirt/contexts/files/file_contexts", "file", {
    bytes: new TextEncoder().encode(LOG_RULE),
  });
  machine.files.putFolder("/var/log/svirt");
  machine.files.get("/var/log/svirt").xattrs.set(LABEL, label);
  return machine;
}

describe("examineNode() on a host that is installed in part", () => {
  test("asks for the package of QEMU only where QEMU is missing", async () => {
    const machine = makeMachine();
    if (machine.files.find(QEMU) !== undefined) machine.files.remove(QEMU);
    expect(await found(machine, "QEMU")).toEqual({
      check: "QEMU",
      verdict: "failed",
      is: `${QEMU} is missing`,
      remedy: "Install qemu-system-x86.",
    });
  });

  test("asks for svirt's policy and label where QEMU is installed and svirt has no domain of its own", async () => {
    const machine = makeMachine();
    machine.files.put(QEMU, "file", {});
    machine.ownContext = "unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023";
    const finding = await found(machine, "QEMU");
    expect(finding).toMatchObject({ verdict: "failed", is: `${QEMU} does not run in the domain of guests` });
    expect(finding?.remedy).toContain("restorecon -v /usr/bin/svirt");
  });

  test("sends the operator to the denials where svirt has its domain and QEMU does not run", async () => {
    const machine = makeMachine();
    machine.files.put(QEMU, "file", {});
    expect((await found(machine, "QEMU"))?.remedy).toBe("See SELinux's denials: svirt explain");
  });

  test("fails for a folder that an earlier call has made without the policy, and names the command", async () => {
    expect(await found(withLog("unconfined_u:object_r:var_log_t:s0"), "/var/log/svirt")).toEqual({
      check: "/var/log/svirt",
      verdict: "failed",
      is: "unconfined_u:object_r:var_log_t:s0 instead of system_u:object_r:svirt_log_t:s0",
      remedy: "Run: restorecon -R -v /var/log/svirt",
    });
  });

  test("accepts a folder with the policy's type, whatever its user", async () => {
    const finding = await found(withLog("unconfined_u:object_r:svirt_log_t:s0"), "/var/log/svirt");
    expect(finding).toMatchObject({ verdict: "ok", is: "unconfined_u:object_r:svirt_log_t:s0" });
  });
});
