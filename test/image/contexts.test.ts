import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { findContextFaults, type SystemTable } from "../node/contexts/system.ts";
import { directBoot } from "./boots.ts";
import { guestXml, withXml } from "./guest-xml.ts";
import { bootMachine, IMAGE, type Machine } from "./machine.ts";
import { type NtpServer, serveNtp } from "./servers/ntp.ts";

const whereBuilt = existsSync(`${IMAGE}/initrd`) ? describe : describe.skip;

/** Folder of a guest, a file system of its own. */
const GUEST_FOLDER = /^\/run\/svirt\/[0-9a-f-]{36}\/guest$/;

/**
 * Files created at run time. Their creator decides the type; Debian's rules have another or no path for them.
 */
const RUNTIME: SystemTable["labels"] = (
  [
    [GUEST_FOLDER, "svirt_image_t", "a guest's own folder, with its level"],
    [/^\/run\/settings$/, "initrc_runtime_t", "what the operator told, for the start-up"],
    [/^\/run\/dropbear\.pid$/, "sshd_runtime_t", "sshd's"],
    [/^\/run\/utmp$/, "init_runtime_t", "busybox init writes it, not a script"],
    [/^\/run\/ntp\.dhcp$/, "dhcpc_runtime_t", "what DHCP said"],
    [/^\/run\/resolv\.conf$/, "net_conf_t", "the same, for whoever looks up names"],
    [/^\/run\/ntpd\.conf$/, "ntp_conf_t", "made from the command line for ntpd"],
    [
      /^\/run\/openntpd$|^\/var\/lib\/openntpd\/run(\/ntpd\.sock)?$/,
      "ntpd_pid_t",
      "OpenNTPD's, which the policy knows no paths of",
    ],
    [/^\/var\/lib\/openntpd(\/db(\/ntpd\.drift)?)?$/, "ntp_drift_t", "the same"],
  ] as const
).map(([path, type, reason]) => ({ path, type, reason }));

/** Contexts of the product's node while two guests run and it has a time server. */
const TABLE: SystemTable = {
  processes: new Map([
    ["/usr/sbin/init", ["init_t"]],
    ["/usr/sbin/syslogd", ["syslogd_t"]],
    ["/usr/sbin/klogd", ["klogd_t"]],
    ["/usr/sbin/udhcpc", ["dhcpc_t"]],
    ["/usr/sbin/ntpd", ["ntpd_t"]],
    ["/usr/sbin/dropbear", ["sshd_t"]],
    // The administrator's shell, over SSH; each guest's reaper, which is its parent, and the keeper of its
    // log; the watchdog's guard, which waits for hardware.
    ["/usr/bin/sh", ["unconfined_t", "svirt_manager_t", "initrc_t"]],
    // Includes the cat with which each keeper of a log copies.
    ["/usr/bin/busybox", ["unconfined_t", "svirt_manager_t", "initrc_t"]],
    ["/usr/bin/qemu-system-x86_64", ["svirt_t", "svirt_tcg_t"]],
  ]),
  listeners: ["tcp 22 sshd_t"],
  // File systems with labels: the root, the kernel's device nodes, and those in memory.
  mounts: [
    "/",
    "/dev",
    "/dev/shm",
    "/run",
    "/tmp",
    "/var/tmp",
    "/var/log",
    "/var/lib",
    "/root",
    "/mnt",
    "/srv",
  ].concat([...["/etc/svirt", "/etc/dropbear", "/usr/libexec/svirt-node/program"]]),
  labels: [
    { path: /^\/proc$/, type: "proc_t", reason: "the policy leaves it to whoever mounts there" },
    {
      path: /^\/usr\/libexec\/svirt-node\/program(\/svirt)?$/,
      type: "svirt_manager_exec_t",
      reason: "where svirt is unpacked, and mounted over /usr/bin/svirt",
    },
    ...RUNTIME,
  ],
};

whereBuilt("the product's image, with two guests and a clock", () => {
  let machine: Machine;
  let ntp: NtpServer;
  beforeAll(async () => {
    ntp = await serveNtp();
    machine = await bootMachine(directBoot(({ admin }) => `svirt.key=${admin} svirt.ntp=10.0.2.2`));
    await machine.run(withXml("svirt create -", guestXml("one", "kvm")));
    await machine.run(withXml("svirt create -", guestXml("two", "qemu")));
  }, 600_000);
  afterAll(async () => {
    await machine.stop();
    ntp.stop();
  });

  test("has each process and each file in the context that is meant for it", async () => {
    expect(await findContextFaults(async (command) => await machine.run(command), TABLE)).toEqual([]);
    const mounts = (await machine.run(WITH_LABELS)).trim().split("\n");
    expect(mounts.filter((path) => !GUEST_FOLDER.test(path)).toSorted()).toEqual(TABLE.mounts.toSorted());
    expect(mounts.filter((path) => GUEST_FOLDER.test(path))).toHaveLength(2);
  }, 500_000);
});

/** Mounts whose files can have labels; busybox's find and getfattr see each once. */
const WITH_LABELS =
  "awk '$3 ~ /^(squashfs|tmpfs|devtmpfs|ext4|xfs)$/ && $2 != \"/usr/bin/svirt\" { print $2 }' /proc/mounts";
