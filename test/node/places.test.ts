import { expect } from "bun:test";
import { type Notes, noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { onNode } from "./harness/on-the-node.ts";
import { bringPeer } from "./peers/on-the-node.ts";

const onTheNode = await onANode();
bringPeer();

/** Expects a start, the guest's label on the file while it ran, and the file's earlier label after it. */
function expectOwnAndBack(notes: Notes): void {
  expect(noteOf(notes, "start")).toMatchObject({ code: 0, err: "" });
  expect(outOf(notes, "during")).toBe(outOf(notes, "image"));
  expect(outOf(notes, "after")).toBe(outOf(notes, "before"));
}

const RUN = (device: string, file: string): string => `
  guest life-a "${device}"
  note before labels ${file}
  note start svirt start life-a
  note image label_in_xml life-a imagelabel
  note during label_of ${file}
  svirt destroy life-a >/dev/null
  note after labels ${file}
`;

onTheNode("a disk is named by a symlink", async () => {
  expectOwnAndBack(
    await onNode(`
    copy halt real.img; ln -s real.img $here/link.img
    ${RUN("$(disk $here/link.img)", "$here/real.img")}
  `),
  );
});

onTheNode("a disk lies in root's home, in a folder for images, and its XML in the home itself", async () => {
  expectOwnAndBack(
    await onNode(`
    mkdir /root/images
    setfattr -n security.selinux -v system_u:object_r:virt_image_t:s0 /root/images
    cp $here/boot/halt /root/images/life-a.img
    xml life-a "$(disk /root/images/life-a.img)" >/root/life-a.xml
    note validate svirt validate /root/life-a.xml
    ${RUN("$(disk /root/images/life-a.img)", "/root/images/life-a.img")}
    rm -r /root/life-a.* /root/images
  `),
  );
});

onTheNode("a block device has a qcow2 image on it", async () => {
  expectOwnAndBack(
    await onNode(`
    qemu-img create -q -f qcow2 /dev/vde 16M
    qcow2="<disk type='block' device='disk'><driver name='qemu' type='qcow2'/><source dev='/dev/vde'/><target dev='vda' bus='virtio'/></disk>"
    ${RUN("$qcow2", "/dev/vde")}
    dd if=/dev/zero of=/dev/vde bs=1M count=1 2>/dev/null
  `),
  );
});

onTheNode(
  "a file that SELinux lets svirt not even look at is refused as denied, and not as a fault in svirt",
  async () => {
    const notes = await onNode(`
    cp $here/boot/halt /root/life-shadow; setfattr -n security.selinux -v system_u:object_r:shadow_t:s0 /root/life-shadow
    note validate svirt validate /root/life-shadow
    note explain svirt explain --file /root/life-shadow
    note shadow svirt validate /etc/shadow
    rm /root/life-shadow
  `);
    for (const [name, file] of [
      ["validate", "/root/life-shadow"],
      ["explain", "/root/life-shadow"],
      ["shadow", "/etc/shadow"],
    ] as const) {
      const { code, err, out } = noteOf(notes, name);
      expect([name, code, out]).toEqual([name, 5, ""]);
      expect(err).toMatch(new RegExp(`^error: Cannot read ${file}: .*(?:EACCES|Permission denied)`));
      expect(err).toContain("see SELinux's denials: svirt explain");
    }
  },
  { denied: /\{ getattr \} .*:svirt_manager_t:s0 tcontext=\S*:shadow_t:/ },
);

onTheNode("svirt's own folders are missing, and are made with their labels", async () => {
  const notes = await onNode(`
    rm -rf /run/svirt /var/log/svirt
    guest life-a
    note start svirt start life-a
    for folder in /run/svirt /var/log/svirt; do label_of $folder && echo; done >$work/all
    note labels cat $work/all
    svirt destroy life-a >/dev/null
  `);
  expect(noteOf(notes, "start")).toMatchObject({ code: 0, err: "" });
  expect(outOf(notes, "labels").split("\n")).toEqual([
    "system_u:object_r:svirt_run_t:s0",
    "system_u:object_r:svirt_log_t:s0",
  ]);
});

onTheNode("what a guest has left in its folder goes with it, whatever it is", async () => {
  const notes = await onNode(`
    guest life-a
    note start svirt start life-a
    own=/run/svirt/$(uuid_of life-a)/guest
    mkdir $own/folder; ln -s /etc/passwd $own/folder/link; mkfifo $own/pipe; echo x >$own/folder/file
    for file in $own/folder $own/folder/link $own/pipe $own/folder/file; do
      setfattr -h -n security.selinux -v "$(label_in_xml life-a imagelabel)" $file
    done
    note destroy svirt destroy life-a
    note left left life-a
  `);
  expect(noteOf(notes, "start")).toMatchObject({ code: 0, err: "" });
  expect(noteOf(notes, "destroy")).toMatchObject({ code: 0, err: "" });
  expect(noteOf(notes, "left").out).toBe("");
});

onTheNode("a shared folder's group bits outlive the guest", async () => {
  const notes = await onNode(`
    mkdir $here/team; chown 1000:1000 $here/team; chmod 2770 $here/team
    guest life-a "<filesystem type='mount' accessmode='mapped'><source dir='$here/team'/><target dir='team'/></filesystem>"
    note start svirt start life-a
    svirt destroy life-a >/dev/null
    note mode stat -c '%a %u %g' $here/team
  `);
  expect(noteOf(notes, "start")).toMatchObject({ code: 0, err: "" });
  expect(outOf(notes, "mode")).toBe("2770 1000 1000");
});

onTheNode("denials are told from auditd's log, where it runs", async () => {
  const notes = await onNode(`
    mkdir -p /var/log/audit
    stamp=$(date +%s)
    printf 'type=AVC msg=audit(%s.000:7): avc:  denied  { read } for  pid=1 comm="qemu-system-x86" name="of-auditd" dev="vda" ino=1 scontext=system_u:system_r:svirt_t:s0:c1,c2 tcontext=system_u:object_r:var_t:s0 tclass=file permissive=0\\n' $stamp >/var/log/audit/audit.log
    setfattr -n security.selinux -v system_u:object_r:auditd_log_t:s0 /var/log/audit /var/log/audit/audit.log
    note told svirt explain --json
    rm -r /var/log/audit
  `);
  expect(outOf(notes, "told")).toContain("of-auditd");
});

onTheNode("a policy that is loaded again and again meanwhile keeps nobody from anything", async () => {
  const notes = await onNode(`
    copy halt a.img
    guest life-a "$(disk $here/a.img)"
    # The kernel then checks again whether each process may use the files that it has open.
    (while [ -e $here/a.img ]; do echo 1 >/sys/fs/selinux/commit_pending_bools; sleep 0.02; done) &
    loads=$!
    note start svirt start life-a
    note save svirt save life-a $here/a.saved
    note restore svirt restore $here/a.saved
    echo "<volume><name>b.qcow2</name><capacity unit='MiB'>8</capacity><target><format type='qcow2'/></target></volume>" >$work/b.xml
    note volume svirt vol-create $here $work/b.xml
    note destroy svirt destroy life-a
    kill $loads
    note left left life-a
  `);
  for (const name of ["start", "save", "restore", "volume", "destroy"])
    expect({ name, ...noteOf(notes, name) }).toMatchObject({ name, code: 0, err: "" });
  expect(noteOf(notes, "left").out).toBe("");
});

onTheNode("the log's socket is among what audit looks at in /dev, and so is a link to it", async () => {
  const label = "system_u:object_r:devlog_t:s0";
  const notes = await onNode(`
    $here/peer listen /dev/log.sock $here/report >/dev/null 2>&1 &
    listener=$!
    wait_for test -S /dev/log.sock
    ln -s log.sock /dev/log
    setfattr -n security.selinux -v ${label} /dev/log.sock
    setfattr -h -n security.selinux -v ${label} /dev/log
    note label label_of /dev/log
    note audit svirt audit
    kill $listener
    rm /dev/log /dev/log.sock
  `);
  expect(outOf(notes, "label")).toBe(label);
  expect(noteOf(notes, "audit")).toMatchObject({ code: 0, out: expect.stringContaining("No findings.") });
});
