import { expect } from "bun:test";
import { uuidOf } from "./harness/names.ts";
import { type Notes, noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { onNode } from "./harness/on-the-node.ts";

const onTheNode = await onANode();

/** Returns the fields of a noted /proc/PID/status. */
function statusOf(notes: Notes, name: string): ReadonlyMap<string, string> {
  const lines = outOf(notes, name).split("\n");
  return new Map(lines.map((line) => [line.split(":")[0] ?? "", line.slice(line.indexOf(":") + 1).trim()]));
}

for (const type of ["kvm", "qemu"]) {
  onTheNode(`QEMU of a guest of type ${type} runs with nothing but what it needs`, async () => {
    const notes = await onNode(`
      copy halt a.img
      guest_type=${type}
      guest life-a "$(disk $here/a.img)"
      svirt start life-a >/dev/null || exit
      pid=$(pid_of life-a)
      note status cat /proc/$pid/status
      note context context_of $pid
      note exec tr -d '\\0' </proc/$pid/attr/exec
      note cwd readlink /proc/$pid/cwd
      note words tr '\\0' '\\n' </proc/$pid/cmdline
      note environment tr '\\0' '\\n' </proc/$pid/environ
      note fds ls -l /proc/$pid/fd
      note tree svirt qemu-monitor-command life-a --hmp info qtree
      note folder stat -c '%a %u' /run/svirt/${uuidOf("life-a")}/guest
      note log stat -c '%a %u' /var/log/svirt/life-a.log
      note uid uid_of life-a
      ${type === "kvm" ? "note active wait_for lists_active env" : ""}
      svirt destroy life-a >/dev/null
    `);
    const uid = outOf(notes, "uid");
    const status = statusOf(notes, "status");
    for (const ids of ["Uid", "Gid"]) expect(status.get(ids)).toBe(Array(4).fill(uid).join("\t"));
    expect(status.get("Groups")).toBe("");
    for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"])
      expect({ set, is: status.get(set) }).toEqual({ set, is: "0000000000000000" });
    expect(status.get("NoNewPrivs")).toBe("1");
    expect(status.get("Seccomp")).toBe("2");
    const domain = type === "kvm" ? "svirt_t" : "svirt_tcg_t";
    expect(outOf(notes, "context")).toMatch(new RegExp(`^system_u:system_r:${domain}:s0:c\\d+,c\\d+$`));
    // A program that it starts would get no other context, and it cannot start one.
    expect(outOf(notes, "exec").trim()).toBe("");
    expect(outOf(notes, "cwd")).toBe(`/run/svirt/${uuidOf("life-a")}/guest`);
    expect(outOf(notes, "folder")).toBe(`700 ${uid}`);
    expect(outOf(notes, "log")).toBe("600 0");
    if (type === "kvm") expect(noteOf(notes, "active").code).toBe(0);
    const words = outOf(notes, "words").split("\n");
    expect(words).toContain("-nodefaults");
    expect(words).toContain("-no-user-config");
    expect(words[words.indexOf("-sandbox") + 1]).toStartWith("on,");
    expect(outOf(notes, "environment")).not.toMatch(/SSH|USER=|LOGNAME/);
    expectDescriptors(outOf(notes, "fds"), type);
    // No network card, no display, no serial port, no floppy or CD drive that the XML does not name.
    expect(outOf(notes, "tree")).not.toMatch(
      /dev: (isa-serial|isa-parallel|VGA|cirrus|e1000|rtl8139|floppy|ide-cd|scsi-cd)/,
    );
    expect(outOf(notes, "tree")).toContain("dev: virtio-blk-pci");
  });
}

/**
 * Expects as open paths only the disk, /dev/null and, with KVM, /dev/kvm; standard output and error are one
 * pipe.
 */
function expectDescriptors(listing: string, type: string): void {
  const targets = listing.split("\n").flatMap((line) => line.split(" -> ")[1] ?? []);
  const paths = targets.filter((target) => target.startsWith("/"));
  const allowed = ["/dev/null", "/srv/lifecycle/a.img", "/dev/kvm"];
  expect(paths.filter((path) => !allowed.includes(path))).toEqual([]);
  expect(paths).toContain("/srv/lifecycle/a.img");
  expect(paths.includes("/dev/kvm")).toBe(type === "kvm");
  const pipes = targets.filter((target) => target.startsWith("pipe:"));
  expect([pipes.length, new Set(pipes).size]).toEqual([2, 1]);
  expect(paths.length).toBeGreaterThanOrEqual(2);
}

onTheNode("a guest's folder is a small file system of its own, and goes with it", async () => {
  const notes = await onNode(`
    copy halt a.img
    guest life-a "$(disk $here/a.img)"
    folder=/run/svirt/${uuidOf("life-a")}/guest
    note plan svirt plan life-a
    svirt start life-a >/dev/null
    note mount grep " $folder " /proc/mounts
    note label label_of $folder
    note process context_of $(pid_of life-a)
    note full dd if=/dev/zero of=$folder/filling bs=1M count=100
    note filled du -m $folder/filling
    svirt destroy life-a >/dev/null
    note gone grep " $folder " /proc/mounts
    note left left life-a
  `);
  expect(outOf(notes, "plan")).toContain("guest (mode 700, ");
  expect(outOf(notes, "plan")).toContain(", at most 64 MiB in 1024 files)");
  expect(outOf(notes, "mount")).toMatch(/ tmpfs rw,.*nosuid,nodev,noexec.*,size=65536k,nr_inodes=1024,/);
  const range = outOf(notes, "process").split(":").slice(3).join(":");
  expect(outOf(notes, "label")).toBe(`system_u:object_r:svirt_image_t:${range}`);
  expect(noteOf(notes, "full").err).toContain("No space left on device");
  expect(Number.parseInt(outOf(notes, "filled"), 10)).toBe(64);
  expect(noteOf(notes, "gone").out).toBe("");
  expect(noteOf(notes, "left").out).toBe("");
});

onTheNode("what a guest says is in its log, which it has only a pipe to", async () => {
  const notes = await onNode(`
    copy halt a.img
    rm -f /var/log/svirt/life-a.log*
    guest life-a "$(disk $here/a.img)"
    svirt start life-a >/dev/null
    note mode stat -c '%a %u' /var/log/svirt/life-a.log
    note label label_of /var/log/svirt/life-a.log
    note pipe stat -L -c '%F %a %u' /proc/$(pid_of life-a)/fd/2
    svirt destroy life-a >/dev/null
    # The keeper of the log may write it after the end.
    wait_for grep -q terminating /var/log/svirt/life-a.log
    note said cat /var/log/svirt/life-a.log
  `);
  expect(outOf(notes, "mode")).toBe("600 0");
  expect(outOf(notes, "label")).toBe("system_u:object_r:svirt_log_t:s0");
  expect(outOf(notes, "pipe")).toBe("fifo 600 0");
  expect(outOf(notes, "said")).toContain("terminating on signal 15");
});

onTheNode("of svirt nothing stays but shells of less than 2 MiB for each guest", async () => {
  const notes = await onNode(`
    copy halt a.img b.img
    guest life-a "$(disk $here/a.img)"
    guest life-b "$(disk $here/b.img)"
    svirt start life-a >/dev/null
    svirt start life-b >/dev/null
    for name in life-a life-b; do
      note $name-status cat /proc/$(reaper_of $name)/status
      note $name-context context_of $(reaper_of $name)
      note $name-words tr '\\0' ' ' </proc/$(reaper_of $name)/cmdline
      note $name-fds ls -l /proc/$(reaper_of $name)/fd
    done
    # That of the guest of the test before may still clean up.
    is_without_svirt() { ! ls -l /proc/[0-9]*/exe 2>/dev/null | grep -q "/svirt$"; }
    note without-svirt wait_for is_without_svirt
    svirt destroy life-a >/dev/null
    svirt destroy life-b >/dev/null
  `);
  for (const name of ["life-a", "life-b"]) {
    const residentKiB = Number.parseInt(statusOf(notes, `${name}-status`).get("VmRSS") ?? "", 10);
    expect(residentKiB).toBeGreaterThan(0);
    expect(residentKiB).toBeLessThan(2048);
    expect(outOf(notes, `${name}-words`)).toContain("svirt-reaper");
    // The reaper closes passed descriptors: a detached device must not stay busy.
    expect(outOf(notes, `${name}-fds`)).not.toContain("/srv/lifecycle");
    expect(outOf(notes, `${name}-context`)).toBe("system_u:system_r:svirt_manager_t:s0");
  }
  expect(noteOf(notes, "without-svirt").code).toBe(0);
});

/** Labels that the policy has, but that QEMU cannot get. */
const WRONG_LABELS: readonly string[] = [
  "system_u:system_r:init_t:s0:c1,c2",
  "system_u:system_r:unconfined_t:s0:c1,c2",
  "system_u:system_r:svirt_manager_t:s0:c1,c2",
  "system_u:object_r:svirt_image_t:s0:c1,c2",
];

onTheNode(
  "a label that QEMU cannot run in is refused, and nothing runs",
  async () => {
    const tries = WRONG_LABELS.map(
      (label, at) => `
    guest life-a "$(disk $here/a.img)" "$(static ${label})"
    note start${at} svirt start life-a
    note left${at} left life-a
    note after${at} labels $here/a.img`,
    );
    const notes = await onNode(`copy halt a.img\nnote before labels $here/a.img\n${tries.join("")}`);
    for (const [at, label] of WRONG_LABELS.entries()) {
      const { code, err } = noteOf(notes, `start${at}`);
      expect({ label, isRefused: code !== 0 }).toEqual({ label, isRefused: true });
      expect(err).toMatch(/^error: .*\nremedy: /);
      expect(noteOf(notes, `left${at}`).out).toBe("");
      expect(outOf(notes, `after${at}`)).toBe(outOf(notes, "before"));
    }
  },
  // On a slow machine svirt connects to the monitor's socket, which is labelled already, before it detects
  // QEMU's end.
  {
    denied:
      /\{ create \} .* tclass=unix_stream_socket |\{ (?:nnp_)?transition \} .*comm="setpriv"|\{ connectto \} .*:svirt_manager_t:s0:c1,c2 /,
  },
);

onTheNode("on a permissive node a start says that nothing is enforced, and labels all the same", async () => {
  const notes = await onNode(`
    copy halt a.img b.img
    guest life-a "$(disk $here/a.img)"
    guest life-none "$(disk $here/b.img)" "<seclabel type='none'/>"
    note before labels $here/a.img $here/b.img
    trap 'echo 1 >/sys/fs/selinux/enforce; rm -rf "$work"' EXIT
    echo 0 >/sys/fs/selinux/enforce
    note mode cat /sys/fs/selinux/enforce
    note list svirt list
    note start svirt start life-a
    allow_unconfined
    note start-none svirt start life-none
    refuse_unconfined
    note context context_of $(pid_of life-a)
    note disk label_of $here/a.img
    note user field $(pid_of life-none) Uid
    note capabilities field $(pid_of life-none) CapBnd
    note info svirt dominfo life-a
    note audit svirt audit
    note doctor svirt doctor
    svirt destroy life-a >/dev/null
    svirt destroy life-none >/dev/null
    echo 1 >/sys/fs/selinux/enforce
    note after labels $here/a.img $here/b.img
    note left-a left life-a
    note left-none left life-none
    note uid uid_of life-none
  `);
  expect(outOf(notes, "mode")).toBe("0");
  expect(noteOf(notes, "list").err).toStartWith("warning: SELinux is permissive");
  expect(noteOf(notes, "start").code).toBe(0);
  expect(noteOf(notes, "start").err).toStartWith(
    "warning: SELinux is permissive: domain 'life-a' is labelled",
  );
  expect(outOf(notes, "context")).toMatch(/^system_u:system_r:svirt_tcg_t:s0:c\d+,c\d+$/);
  expect(outOf(notes, "disk")).toMatch(/^system_u:object_r:svirt_image_t:s0:c\d+,c\d+$/);
  expect(outOf(notes, "info")).toMatch(/^Security label: .* \(permissive\)$/m);
  expect(noteOf(notes, "audit").code).toBe(1);
  expect(noteOf(notes, "audit").out).toContain("SELinux is permissive: guests are not confined");
  expect(noteOf(notes, "doctor").out).toMatch(/^failed +SELinux +permissive/m);
  // An unconfined guest still has a user of its own and no capability.
  expect(noteOf(notes, "start-none").code).toBe(0);
  expect(noteOf(notes, "start-none").err).toContain("runs without confinement");
  expect(outOf(notes, "user")).toBe(Array(4).fill(outOf(notes, "uid")).join("\t"));
  expect(outOf(notes, "capabilities")).toBe("0000000000000000");
  expect(outOf(notes, "after")).toBe(outOf(notes, "before"));
  expect(noteOf(notes, "left-a").out + noteOf(notes, "left-none").out).toBe("");
});
