import { expect } from "bun:test";
import { uuidOf } from "./harness/names.ts";
import { noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { onNode } from "./harness/on-the-node.ts";
import { bringPrograms, PROGRAMS } from "./programs/on-the-node.ts";

const onTheNode = await onANode();
bringPrograms();
const USER = 1000;
const HOME = "/home/alice";
/** Folder of a libvirt user's images, with the label that restorecon gives them. */
const IMAGES = `${HOME}/.local/share/libvirt/images`;
const DISK = `${IMAGES}/disk.img`;
const RECORD = `${HOME}/.local/state/svirt/records/${uuidOf("life-mine")}.json`;
const RUN = `/run/user/${USER}/svirt/${uuidOf("life-mine")}`;

/**
 * User as after adduser and a login, with the labels of restorecon. The node's root is read-only, and its
 * login of a user is unconfined_t like root's. `as_alice` runs a command as this user, in the groups that
 * `groups` names.
 */
const SCENE = `
  ${PROGRAMS}
  clean
  mark() { /usr/bin/setfattr -n security.selinux -v "system_u:object_r:$2:s0" "$1"; }
  leave() {
    # mountpoint of busybox knows folders alone.
    while umount -l /etc/passwd 2>/dev/null; do :; done
    while mountpoint -q /home; do umount -l /home; done
    rm -rf /run/user /run/passwd
    chmod 600 /dev/net/tun
  }
  as_alice() {
    /usr/bin/setpriv --reuid=${USER} --regid=${USER} --groups="\${groups-36}" --inh-caps=-all \\
      env -i PATH=/usr/sbin:/usr/bin HOME=/nowhere sh -c 'cd ${HOME} && "$@"' sh "$@"
  }
  mine() { xml life-mine "$@" >${HOME}/vm.xml; as_alice svirt define ${HOME}/vm.xml >/dev/null; }
  my_pid() { cat ${RUN}/pid; }
  enter() {
    mount -t tmpfs -o mode=755,nosuid,nodev,rootcontext=system_u:object_r:home_root_t:s0 tmpfs /home
    { cat /etc/passwd; echo 'alice:x:${USER}:${USER}::${HOME}:/bin/sh'; } >/run/passwd
    mark /run/passwd etc_t
    mount -o bind /run/passwd /etc/passwd
    mkdir -p ${IMAGES} /run/user/${USER}
    for folder in .local .local/share .local/share/libvirt; do mark ${HOME}/$folder xdg_data_t; done
    mark ${IMAGES} virt_image_t
    mark ${HOME} user_home_dir_t
    mark /run/user user_runtime_root_t
    mark /run/user/${USER} user_runtime_t
    chmod 700 ${HOME} /run/user/${USER}
    cp $here/boot/answer ${DISK}
    mark ${DISK} virt_image_t
    chown -R ${USER}:${USER} ${HOME} /run/user/${USER}
    # As udev's own rules have it.
    chmod 666 /dev/net/tun
  }
  trap 'as_alice svirt destroy life-mine >/dev/null 2>&1; leave; rm -rf "$work"' EXIT
  leave
  enter
`;

onTheNode("an ordinary user's guest runs confined as himself, from its definition to its end", async () => {
  const notes = await onNode(`
    ${SCENE}
    note uri as_alice svirt uri
    note before labels ${DISK}
    mine "$(disk ${DISK})<interface type='user'><model type='virtio'/></interface><serial type='pty'/>"
    note xml as_alice svirt dumpxml life-mine
    note plan as_alice svirt plan life-mine
    note start as_alice svirt start life-mine
    note list as_alice svirt list
    note info as_alice svirt dominfo life-mine
    note status cat /proc/$(my_pid)/status
    note context context_of $(my_pid)
    note disk label_of ${DISK}
    note folder stat -c '%a %u' ${RUN}/guest
    note console talk as_alice svirt console life-mine
    note monitor as_alice svirt qemu-monitor-command life-mine '{"execute":"query-status"}'
    note suspend as_alice svirt suspend life-mine
    note resume as_alice svirt resume life-mine
    note audit as_alice svirt audit
    note roots-list svirt list --all
    note roots-audit svirt audit
    note files sh -c 'find ${HOME}/.config ${HOME}/.local /run/user/${USER}/svirt -type d | while read -r path; do echo "$path $(/usr/bin/getfattr --only-values -n security.selinux --absolute-names "$path" | tr -d "\\0")"; done'
    note destroy as_alice svirt destroy life-mine
    note after labels ${DISK}
    note left find ${HOME}/.local/state/svirt/records ${HOME}/.local/state/svirt/claims -type f
    note undefine as_alice svirt undefine life-mine
  `);
  expect(outOf(notes, "uri")).toBe("qemu:///session");
  expect(outOf(notes, "xml")).toContain("<name>life-mine</name>");
  expect(outOf(notes, "start")).toBe("Domain 'life-mine' started");
  expect(outOf(notes, "list")).toMatch(/^ 1 +life-mine +running$/m);
  const context = outOf(notes, "context");
  const level = context.split(":").slice(3).join(":");
  expect(context).toMatch(/^system_u:system_r:svirt_tcg_net_t:s0:c\d+,c\d+$/);
  expect(outOf(notes, "plan")).toContain(`as uid ${USER} in ${context}`);
  expect(outOf(notes, "info")).toContain(`${context} (enforcing)`);
  const status = outOf(notes, "status");
  expect(status).toMatch(new RegExp(`^Uid:(\\s+${USER}){4}$`, "m"));
  for (const set of ["CapInh", "CapPrm", "CapEff", "CapAmb"])
    expect(status).toMatch(new RegExp(`^${set}:\\s+0+$`, "m"));
  expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
  expect(status).toMatch(/^Seccomp:\s+2$/m);
  expect(outOf(notes, "disk")).toBe(`system_u:object_r:svirt_image_t:${level}`);
  expect(outOf(notes, "folder")).toBe(`700 ${USER}`);
  // The guest "answer" answers each character with the next one.
  expect(noteOf(notes, "console").out).toContain("IBM");
  expect(JSON.parse(outOf(notes, "monitor"))).toMatchObject({ return: { status: "running" } });
  expect(outOf(notes, "audit")).toContain("No findings.");
  expect(outOf(notes, "roots-list")).not.toContain("life-mine");
  expect(outOf(notes, "roots-audit")).toContain("No findings.");
  const types = new Map(
    outOf(notes, "files")
      .split("\n")
      .map((line) => line.split(" ") as [string, string]),
  );
  expect(types.get(`${HOME}/.config/svirt`)).toBe("system_u:object_r:svirt_home_t:s0");
  expect(types.get(`${HOME}/.local/state/svirt/records`)).toBe("system_u:object_r:svirt_home_t:s0");
  expect(types.get(`${HOME}/.local/state/svirt/log`)).toBe("system_u:object_r:svirt_log_t:s0");
  expect(types.get(`/run/user/${USER}/svirt`)).toBe("system_u:object_r:svirt_run_t:s0");
  expect(outOf(notes, "after")).toBe(outOf(notes, "before"));
  expect(outOf(notes, "left")).toBe("");
});

onTheNode("its disk has its own label back however the guest or svirt ends", async () => {
  const notes = await onNode(`
    ${SCENE}
    mine "$(disk ${DISK})"
    note before labels ${DISK}
    as_alice svirt start life-mine >/dev/null
    is_back() { [ ! -e ${RECORD} ]; }
    is_alone() { ! grep -qs '^Uid:.*[[:space:]]${USER}[[:space:]]' /proc/[0-9]*/status; }
    note while label_of ${DISK}
    # As a QEMU could by its descriptor, where the policy let it.
    note mode stat -c '%a %u:%g' ${DISK}
    as_alice chgrp 36 ${DISK} && as_alice chmod 6777 ${DISK}
    note program stat -c '%a %u:%g' ${DISK}
    kill -9 $(my_pid)
    wait_for is_back
    note killed labels ${DISK}
    note mode-after stat -c '%a %u:%g' ${DISK}
    note off as_alice svirt list --all

    as_alice svirt start life-mine >/dev/null
    reaper=$(field $(my_pid) PPid)
    kill -9 $reaper $(my_pid)
    # The kernel takes a moment to end it: until then it runs.
    wait_for is_alone
    note next as_alice svirt list --all
    note both labels ${DISK}

    for step in 3 5 8; do
      as_alice svirt start life-mine --crash-drill after:$step >/dev/null 2>&1
      note crashed-$step label_of ${DISK}
      note swept-$step as_alice svirt recover
      note labels-$step labels ${DISK}
      note alone-$step wait_for is_alone
    done
  `);
  expect(outOf(notes, "while")).toMatch(/^system_u:object_r:svirt_image_t:s0:c\d+,c\d+$/);
  expect(outOf(notes, "killed")).toBe(outOf(notes, "before"));
  expect(outOf(notes, "program")).toBe(`6777 ${USER}:36`);
  expect(outOf(notes, "mode-after")).toBe(outOf(notes, "mode"));
  for (const name of ["off", "next"]) expect(outOf(notes, name)).toMatch(/^ - +life-mine +shut off$/m);
  expect(outOf(notes, "both")).toBe(outOf(notes, "before"));
  const labels = [3, 5, 8].map((step) => outOf(notes, `crashed-${step}`));
  expect(labels.some((label) => label.includes("svirt_image_t"))).toBe(true);
  for (const step of [3, 5, 8]) {
    expect(noteOf(notes, `swept-${step}`).code).toBe(0);
    expect(outOf(notes, `labels-${step}`)).toBe(outOf(notes, "before"));
    expect(noteOf(notes, `alone-${step}`).code).toBe(0);
  }
});

onTheNode("a guest that is rebooted is started again by its reaper, in the same folders", async () => {
  const notes = await onNode(`
    ${SCENE}
    cat $here/boot/button >${DISK}
    mine "$(disk ${DISK})"
    as_alice svirt start life-mine >/dev/null
    before=$(my_pid)
    sleep 3
    note reboot as_alice svirt reboot life-mine
    wait_pressed $before as_alice svirt reboot life-mine
    is_again() { [ -e ${RUN}/pid ] && [ "$(my_pid)" != "$before" ] && [ "$(as_alice svirt domstate life-mine)" = running ]; }
    note again wait_for is_again
    note context context_of $(my_pid)
    note user field $(my_pid) Uid
    note folder stat -c %u ${RECORD}
  `);
  expect(noteOf(notes, "reboot").err).toBe("");
  expect(noteOf(notes, "again").code).toBe(0);
  expect(outOf(notes, "context")).toContain(":svirt_tcg_t:");
  for (const name of ["user", "folder"]) expect(outOf(notes, name)).toStartWith(String(USER));
});

onTheNode("a user reaches nothing of root's guests, and his has another level", async () => {
  const notes = await onNode(`
    ${SCENE}
    copy halt a.img
    chmod 600 $here/a.img
    guest life-a "$(disk $here/a.img)"
    svirt start life-a >/dev/null
    mine "$(disk ${DISK})"
    as_alice svirt start life-mine >/dev/null
    note mine context_of $(my_pid)
    note roots context_of $(pid_of life-a)
    note list as_alice svirt list --all
    note destroy as_alice svirt destroy life-a
    note by-uuid as_alice svirt dominfo ${uuidOf("life-a")}
    note record as_alice cat /var/lib/svirt/records/${uuidOf("life-a")}.json
    note kill as_alice kill -9 $(pid_of life-a)
    note socket as_alice stat -c %a /run/svirt/${uuidOf("life-a")}/monitor.sock
    note disk as_alice dd if=$here/a.img of=/dev/null count=1
    chown ${USER} $here/a.img
    xml life-other "$(disk $here/a.img)" >${HOME}/other.xml
    note steal as_alice svirt create ${HOME}/other.xml
    chown 0 $here/a.img
    note label label_of $here/a.img
    note state svirt domstate life-a
    svirt destroy life-a >/dev/null
  `);
  expect(outOf(notes, "mine").split(":").pop()).not.toBe(outOf(notes, "roots").split(":").pop());
  expect(outOf(notes, "list")).not.toContain("life-a");
  expect(noteOf(notes, "destroy").code).toBe(3);
  expect(noteOf(notes, "by-uuid").code).toBe(3);
  for (const name of ["record", "kill", "disk"])
    expect([name, noteOf(notes, name).code]).not.toEqual([name, 0]);
  expect(outOf(notes, "socket")).toBe("600");
  expect(noteOf(notes, "steal").code).toBe(5);
  expect(outOf(notes, "label")).toContain(":svirt_image_t:");
  expect(outOf(notes, "state")).toBe("running");
});

onTheNode("a user has KVM by his group, a tap that root made for him, and a screen", async () => {
  const notes = await onNode(`
    ${SCENE}
    tool ip tuntap add life-tap mode tap user ${USER}
    tool ip tuntap add roots-tap mode tap user 0
    guest_type=kvm
    mine "$(disk ${DISK})<interface type='ethernet'><target dev='life-tap' managed='no'/><model type='virtio'/></interface><graphics type='vnc'><listen type='socket'/></graphics>"
    groups=${USER}
    note without as_alice svirt start life-mine
    groups=36
    note start as_alice svirt start life-mine
    note context context_of $(my_pid)
    note network as_alice svirt qemu-monitor-command life-mine --hmp info network
    note screen ls ${RUN}/guest
    note display as_alice svirt domdisplay life-mine
    note active wait_for lists_active as_alice
    note save as_alice svirt save life-mine ${HOME}/mine.save
    note restore as_alice svirt restore ${HOME}/mine.save
    note restored as_alice svirt domstate life-mine
    note destroy as_alice svirt destroy life-mine
    note tap cat /sys/class/net/life-tap/owner
    sed -i s/life-tap/roots-tap/ ${HOME}/vm.xml
    as_alice svirt define ${HOME}/vm.xml >/dev/null
    note roots as_alice svirt start life-mine
    tool ip link del life-tap
    tool ip link del roots-tap
  `);
  expect(noteOf(notes, "without")).toMatchObject({
    code: 5,
    err: expect.stringContaining(`user ${USER} may not open /dev/kvm`),
  });
  expect(noteOf(notes, "start").err).toBe("");
  expect(outOf(notes, "context")).toMatch(/^system_u:system_r:svirt_t:s0:c\d+,c\d+$/);
  expect(outOf(notes, "network")).toContain("type=tap");
  expect(outOf(notes, "screen").split("\n")).toContain("vnc.sock");
  expect(outOf(notes, "display")).toContain(`${RUN}/guest/vnc.sock`);
  // The user may read in which function of the kernel a vCPU waits.
  expect(noteOf(notes, "active").code).toBe(0);
  for (const name of ["save", "restore"]) expect([name, noteOf(notes, name).err]).toEqual([name, ""]);
  expect(outOf(notes, "restored")).toBe("running");
  expect(outOf(notes, "tap")).toBe(String(USER));
  expect(noteOf(notes, "roots").code).toBe(5);
  expect(noteOf(notes, "roots").err).toContain("open the tap roots-tap");
});

onTheNode("what only root can do a user is told, and doctor says what his guests are kept from", async () => {
  const notes = await onNode(`
    ${SCENE}
    copy halt a.img
    start() { xml life-try "$1" >${HOME}/try.xml; as_alice svirt create ${HOME}/try.xml; }
    mine "$(disk ${DISK})"
    note bridge start "<interface type='bridge'><source bridge='br0'/></interface>"
    note disk start "$(disk $here/a.img)"
    note autostart as_alice svirt autostart life-mine
    note label as_alice svirt label set ${DISK} system_u:object_r:virt_content_t:s0
    note doctor as_alice svirt doctor
    note validate as_alice svirt validate ${HOME}/vm.xml
    rm -rf /run/user/${USER}
    note gone as_alice svirt list
    note pure as_alice svirt validate ${HOME}/vm.xml
    note no-folder as_alice svirt doctor
  `);
  expect(noteOf(notes, "bridge").err).toContain(
    "only root can create the tap of /domain/devices/interface[1]",
  );
  expect(noteOf(notes, "disk").err).toContain("/srv/lifecycle/a.img");
  for (const name of ["bridge", "disk", "label"]) expect([name, noteOf(notes, name).code]).toEqual([name, 5]);
  expect(noteOf(notes, "autostart")).toMatchObject({
    code: 2,
    err: expect.stringContaining("remedy: Start it"),
  });
  expect(noteOf(notes, "doctor").code).toBe(0);
  expect(noteOf(notes, "doctor").out).toMatch(/^ok +your guests +confined by SELinux/m);
  expect(noteOf(notes, "doctor").out).toMatch(/^ok +access to KVM +you may open \/dev\/kvm/m);
  expect(noteOf(notes, "gone").err).toContain(`/run/user/${USER} does not exist`);
  for (const name of ["validate", "pure"]) expect(outOf(notes, name)).toContain("is valid");
  expect(noteOf(notes, "no-folder")).toMatchObject({
    code: 1,
    out: expect.stringContaining("install -d -m 700"),
  });
});
