import { expect, test } from "bun:test";
import { findLabelFaults, findListenerFaults, findProcessFaults, parseLabels } from "./contexts/judge.ts";
import { findContextFaults, type SystemTable } from "./contexts/system.ts";
import { noteOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { node, onNode } from "./harness/on-the-node.ts";

const onTheNode = await onANode();

/** Contexts of the test node, which has no syslogd and no DHCP. */
const NODE: SystemTable = {
  processes: new Map([
    ["/usr/sbin/init", ["init_t"]],
    ["/usr/sbin/dropbear", ["sshd_t"]],
    // The administrator's shell, over SSH, and each guest's reaper, which is its parent.
    ["/usr/bin/sh", ["unconfined_t", "svirt_manager_t"]],
    ["/usr/bin/busybox", ["unconfined_t"]],
    ["/usr/bin/qemu-system-x86_64", ["svirt_t", "svirt_tcg_t"]],
  ]),
  listeners: ["tcp 22 sshd_t"],
  mounts: ["/", "/dev"],
  labels: [{ path: /^\/proc$/, type: "proc_t", reason: "the policy leaves it to whoever mounts there" }],
};

/**
 * Device nodes that appear at run time: of a keyboard, USB, SCSI disks of both kinds, vhost-scsi, a screen.
 */
const LATE = [
  "/dev/input/event0",
  "/dev/bus/usb/001/001",
  "/dev/sg0",
  "/dev/sda",
  "/dev/vhost-scsi",
  "/dev/vcs9",
];
const DEVICE_MODULES = "vhost_scsi scsi_debug sd_mod sg xhci_pci evdev";

onTheNode("each process and each file has the label that is meant for it, while guests run", async () => {
  const notes = await onNode(`
    modprobe -a ${DEVICE_MODULES}
    : </dev/tty9
    note late wait_for ls ${LATE.join(" ")}
    guest_type=kvm
    guest life-a
    guest_type=qemu
    guest life-b
    svirt start life-a >/dev/null
    svirt start life-b >/dev/null
  `);
  try {
    expect(noteOf(notes, "late").code).toBe(0);
    expect(await findContextFaults((command) => node(["ssh", "sh"], command), NODE)).toEqual([]);
  } finally {
    await onNode(
      `svirt destroy life-a; svirt destroy life-b; modprobe -r ${DEVICE_MODULES}; [ ! -e /dev/sg0 ]`,
    );
  }
});

test("a process in kernel_t that is no thread of the kernel is a fault, and so is a program that nobody expects", () => {
  const table = new Map([["/usr/sbin/init", ["init_t"]]]);
  const at = (program: string, domain: string) =>
    findProcessFaults(`1 ${program} system_u:system_r:${domain}:s0\n`, table);
  expect(at("/usr/sbin/init", "init_t")).toEqual([]);
  expect(at("-", "kernel_t")).toEqual([]);
  expect(at("/usr/sbin/init", "kernel_t")).toHaveLength(1);
  expect(at("-", "init_t")).toHaveLength(1);
  expect(at("/usr/bin/nc", "init_t")).toHaveLength(1);
});

test("a socket that waits for the network is a fault unless it is in the table with its domain", () => {
  const at = (line: string) => findListenerFaults(`${line}\n`, ["tcp 22 sshd_t"]);
  expect(at("tcp6 22 system_u:system_r:sshd_t:s0")).toEqual([]);
  expect(at("tcp 22 unconfined_u:unconfined_r:unconfined_t:s0")).toEqual(["tcp 22 unconfined_t"]);
  expect(at("udp 68 system_u:system_r:dhcpc_t:s0")).toEqual(["udp 68 dhcpc_t"]);
});

test("a label that is not the policy's default is a fault, and an exception that is not true any more", () => {
  const labels = parseLabels(
    'kind f\n# file: /etc/a\nsecurity.selinux="system_u:object_r:etc_t:s0"\n\nkind d\n# file: /b\nsecurity.selinux="u:object_r:unlabeled_t:s0"\n',
  );
  expect(labels.map(({ kind }) => kind)).toEqual(["file", "folder"]);
  const lookUp = () => "system_u:object_r:etc_t:s0";
  expect(findLabelFaults(labels, lookUp, [])).toEqual([
    "/b has u:object_r:unlabeled_t:s0, not system_u:object_r:etc_t:s0",
  ]);
  const known = { path: /^\/b$/, type: "unlabeled_t", reason: "a test" };
  expect(findLabelFaults(labels, lookUp, [known])).toEqual([]);
  expect(findLabelFaults(labels.slice(0, 1), lookUp, [known])).toHaveLength(1);
});

onTheNode("who logs in by SSH stands on the console", async () => {
  expect(await node(["log"])).toContain("auth succeeded for 'root'");
});
