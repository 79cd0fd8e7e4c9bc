import { expect } from "bun:test";
import { noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { onNode } from "./harness/on-the-node.ts";
import { bringLinux, LINUX } from "./linux-guest/on-the-node.ts";
import { bringPrograms, PROGRAMS } from "./programs/on-the-node.ts";

const onTheNode = await onANode();
bringPrograms();
bringLinux();

/**
 * Folder with files of the host and a link that leads out of it, virtiofsd, and a guest whose Linux mounts
 * the folder.
 */
const SCENE = `${PROGRAMS}${LINUX}
  setfattr -n security.selinux -v system_u:object_r:virtiofsd_exec_t:s0 /srv/programs/bin/virtiofsd
  setfattr -n security.selinux -v system_u:object_r:lib_t:s0 /srv/programs/lib /srv/programs/lib/*
  folder=$here/all
  rm -rf $folder; mkdir -p $folder/sub; echo host >$folder/sub/mine; echo x >$folder/gone
  ln -s $here/secret $folder/out; echo secret >$here/secret
  chmod 700 $folder $folder/sub; chmod 600 $folder/sub/mine $here/secret
  everything() {
    find $folder | sort | xargs stat -c '%n %u:%g %a %i'
    find $folder | sort | xargs /usr/bin/getfattr -h -d -m - --absolute-names | grep -v "$FORMAT"
  }
  # linux NAME [MORE [SOURCE]]: a guest that does its work in the folder and powers off.
  linux() {
    own="<binary path='/srv/programs/bin/virtiofsd'/><source dir='$folder'/>"
    fs="<filesystem type='mount'><driver type='virtiofs'/>\${3-$own}<target dir='all'/>\${2-}</filesystem>"
    rm -f $here/$1.serial
    guest_type=\${guest_type-kvm} xml $1 "$fs<serial type='file'><source path='$here/$1.serial'/></serial>" \\
      "<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>" |
      as_linux >$work/linux.xml
    svirt define $work/linux.xml >/dev/null
  }
`;

/** Parses the results of the guest's /init, a line for each act: test/node/linux-guest/init. */
function saidIn(text: string): Record<string, string> {
  const lines = text.split(/\r?\n/).filter((line) => /^[a-z-]+=/.test(line));
  return Object.fromEntries(lines.map((line) => line.split("=") as [string, string]));
}

onTheNode(
  "a Linux guest works in a folder by virtiofs, and all is then as it was but for its work",
  async () => {
    const notes = await onNode(`${SCENE}
    linux life-a
    everything >$work/before
    # It does its work once it has been looked at.
    note start svirt start life-a --paused
    note image label_in_xml life-a imagelabel
    note inside label_of $folder/sub/mine
    note link label_of $folder/out
    note secret label_of $here/secret
    server=$(pidof virtiofsd)
    note context context_of $server
    note status grep -E '^(Uid|CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/$server/status
    note uid uid_of life-a
    note mine context_of $(pid_of life-a)
    note chardev svirt qemu-monitor-command life-a '{"execute":"query-chardev"}'
    note audit svirt audit
    svirt resume life-a >/dev/null
    wait_gone life-a
    note said cat $here/life-a.serial
    note log cat /var/log/svirt/life-a.log
    note ended is_dead $server
    note left left life-a
    note host cat $folder/sub/mine
    note owners find $folder -exec stat -c '%u %a' {} +
    find $folder | sort | while read -r path; do label_of $path; echo; done >$work/labels
    note labels sort -u $work/labels
    note acl sh -c "/usr/bin/getfattr -h -d -m posix_acl --absolute-names $folder $folder/sub/mine"
  `);
    expect(noteOf(notes, "start")).toMatchObject({ code: 0, err: "" });
    const image = outOf(notes, "image").replace(":svirt_image_t:", ":svirt_folder_t:");
    const context = outOf(notes, "mine");
    expect([outOf(notes, "inside"), outOf(notes, "link")]).toEqual([image, image]);
    expect(outOf(notes, "secret")).not.toBe(image);
    expect(outOf(notes, "context")).toBe(context);
    const uid = outOf(notes, "uid");
    expect(outOf(notes, "status")).toBe(
      [
        `Uid:\t${[uid, uid, uid, uid].join("\t")}`,
        "CapEff:\t0000000000000000",
        "CapBnd:\t0000000000000000",
        "NoNewPrivs:\t1",
        "Seccomp:\t2",
      ].join("\n"),
    );
    expect(noteOf(notes, "audit")).toMatchObject({ code: 0, err: "" });
    expect(saidIn(outOf(notes, "said"))).toEqual({
      begin: "done",
      mount: "done",
      mine: "host",
      owner: "0",
      list: "done",
      change: "done",
      make: "done",
      made: "0 644",
      mkdir: "done",
      second: "done",
      move: "done",
      link: "done",
      symlink: "done",
      fifo: "done",
      chmod: "done",
      chown: "done",
      outside: "refused",
      above: "refused",
      "as-user": "refused",
      remove: "done",
      end: "done",
    });
    expect(noteOf(notes, "ended").code).toBe(0);
    expect(outOf(notes, "left")).toBe("");
    expect(outOf(notes, "host")).toBe("host\nguest");
    // All files belong to root again, without the set-user-ID bit.
    expect(
      outOf(notes, "owners")
        .split("\n")
        .every((line) => /^0 [0-7]{3}$/.test(line)),
    ).toBe(true);
    expect(
      outOf(notes, "labels")
        .split("\n")
        .filter((label) => label !== ""),
    ).toEqual([outOf(notes, "secret")]);
  },
);

onTheNode(
  "a folder that is only read is content to virtiofsd too, and is given back when QEMU is killed",
  async () => {
    const notes = await onNode(`${SCENE}
    linux life-b '<readonly/>'
    everything >$work/before
    note start svirt start life-b
    note content label_of $folder/sub/mine
    server=$(pidof virtiofsd)
    wait_for grep -q end= $here/life-b.serial
    note said cat $here/life-b.serial
    wait_gone life-b
    linux life-b '<readonly/>'
    note again svirt start life-b
    kill -9 $(pid_of life-b); wait_gone life-b
    note servers wait_for sh -c '! pidof virtiofsd'
    everything >$work/after
    note same diff $work/before $work/after
    linux life-c
    svirt start life-c >/dev/null
    # What serves it is the guest's process: without it the guest has no folder, and nothing else happens.
    kill -9 $(pidof virtiofsd)
    note state svirt domstate life-c
    svirt destroy life-c >/dev/null
    everything >$work/after
    note still diff $work/before $work/after
  `);
    expect(noteOf(notes, "start")).toMatchObject({ code: 0, err: "" });
    expect(outOf(notes, "content")).toBe("system_u:object_r:virt_content_t:s0");
    expect(saidIn(outOf(notes, "said"))).toMatchObject({
      mount: "done",
      mine: "host",
      list: "done",
      change: "refused",
      make: "refused",
      mkdir: "refused",
      chmod: "refused",
      remove: "refused",
      end: "done",
    });
    expect(noteOf(notes, "again")).toMatchObject({ code: 0, err: "" });
    expect(noteOf(notes, "servers").code).toBe(0);
    expect(noteOf(notes, "same")).toMatchObject({ code: 0, out: "" });
    expect(noteOf(notes, "still")).toMatchObject({ code: 0, out: "" });
  },
);

onTheNode("an emulated guest has a virtiofsd in its own context too", async () => {
  const notes = await onNode(`${SCENE}
    guest_type=qemu; linux life-a
    note start svirt start life-a
    note guest context_of $(pid_of life-a)
    note server context_of $(pidof virtiofsd)
    note folder label_of $folder/sub/mine
    svirt destroy life-a >/dev/null
    note left left life-a
  `);
  expect(noteOf(notes, "start")).toMatchObject({ code: 0, err: "" });
  expect(outOf(notes, "guest")).toMatch(/^system_u:system_r:svirt_tcg_t:/);
  expect(outOf(notes, "server")).toBe(outOf(notes, "guest"));
  expect(outOf(notes, "folder")).toBe(
    outOf(notes, "guest").replace("system_r:svirt_tcg_t", "object_r:svirt_folder_t"),
  );
  expect(outOf(notes, "left")).toBe("");
});

onTheNode("a folder that an administrator's virtiofsd serves is his affair", async () => {
  const notes = await onNode(`${SCENE}
    everything >$work/before
    (cd $folder && exec env LD_LIBRARY_PATH=/srv/programs/lib /srv/programs/bin/virtiofsd --shared-dir $folder \\
      --sandbox none --socket-path $here/fs.sock >$here/virtiofsd.log 2>&1) &
    wait_for test -S $here/fs.sock
    linux life-a '' "<source socket='$here/fs.sock'/>"
    note start svirt start life-a --paused
    everything >$work/while
    note folder diff $work/before $work/while
    svirt resume life-a >/dev/null
    wait_gone life-a
    note said cat $here/life-a.serial
    # It removes its socket once a program has connected, and ends with its guest.
    wait
    note socket ls $here/fs.sock
    note left left life-a
    note owner stat -c %u $folder/made
  `);
  expect(noteOf(notes, "start")).toMatchObject({ code: 0, err: "" });
  expect(noteOf(notes, "folder")).toMatchObject({ code: 0, out: "" });
  expect(saidIn(outOf(notes, "said"))).toMatchObject({
    mount: "done",
    mine: "host",
    change: "done",
    end: "done",
  });
  expect(noteOf(notes, "socket").code).not.toBe(0);
  expect(outOf(notes, "left")).toBe("");
  // The server runs as root, so the guest's owners apply: it has given the file to its user 1000.
  expect(outOf(notes, "owner")).toBe("1000");
});
