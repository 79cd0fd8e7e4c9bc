import { expect, test } from "bun:test";
import type { Host } from "../../../src/host/host.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { diskXml, domainXml, nodeOn } from "../../scenes/scene.ts";
import { DISK, makeUsersMachine } from "../../scenes/session.ts";

// /proc/PID/cmdline is empty once the main thread has ended, while other threads still have the process's
// files. proc_pid_cmdline(5)
test("destroy ends an unconfined guest of a session whose reaper was killed and whose main thread has ended", async () => {
  const machine = makeUsersMachine();
  machine.selinux = { mode: "disabled", policyName: undefined };
  const node = nodeOn(machine);
  machine.files.putFolder(node.paths.config);
  machine.files.put(`${node.paths.config}/svirt.conf`, "file", {
    bytes: new TextEncoder().encode("security_require_confined = 0\n"),
  });
  const seclabel = "<seclabel type='none'/>";
  await startDomain(node, domainXml({ type: "qemu", seclabel, disks: diskXml(DISK, "vda") }));
  const { processes } = machine;
  const reaper = processes.list().find(({ role }) => role === "reaper");
  const guest = processes.list().find(({ role }) => role === "qemu");
  processes.end(reaper?.pid ?? 0, 0);
  const host: Host = {
    ...node.host,
    getCommandLine: (pid) => (pid === guest?.pid ? [] : node.host.getCommandLine(pid)),
  };
  expect([guest?.role, guest?.order?.context]).toEqual(["qemu", undefined]);
  await destroyDomain({ ...node, host }, "vm1");
  expect(processes.list().filter(({ role }) => role === "qemu")).toEqual([]);
});
