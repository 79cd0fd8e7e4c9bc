import { beforeAll, expect } from "bun:test";
import { fileURLToPath } from "node:url";
import { type Notes, noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { node, onNode } from "./harness/on-the-node.ts";
import { isNodeUp } from "./isolation/on-the-node.ts";

const BUILD = fileURLToPath(new URL("shared-folders/build", import.meta.url));

const onTheNode = await onANode();

beforeAll(async () => {
  if (!(await isNodeUp())) return;
  const built = Bun.spawnSync([BUILD], { stderr: "inherit" });
  if (!built.success) throw new Error("Cannot build what stands in QEMU's place");
  await node(["put", built.stdout.toString().trim(), "/srv/lifecycle"]);
});

/** Folder with files of the host, one of which has a label of its own, and a link that leads out of it. */
const TREE = `
  folder=$here/all
  rm -rf $folder; mkdir -p $folder/sub; echo host >$folder/sub/mine; echo x >$folder/gone; echo odd >$folder/odd
  setfattr -n security.selinux -v system_u:object_r:user_home_t:s0 $folder/odd
  ln -s $here/secret $folder/out; echo secret >$here/secret
  chmod 700 $folder $folder/sub; chmod 600 $folder/sub/mine $folder/odd $here/secret
  share() { printf "<filesystem type='mount' accessmode='%s'><source dir='%s'/><target dir='all'/>%s</filesystem>" "$1" "\${3-$folder}" "\${2-}"; }
  everything() {
    find $folder | sort | xargs stat -c '%n %u:%g %a %i'
    find $folder | sort | xargs /usr/bin/getfattr -h -d -m - --absolute-names | grep -v "$FORMAT"
    find $folder ! -type l | sort | xargs /usr/bin/getfattr -h -n system.posix_acl_access --absolute-names 2>/dev/null || :
  }
`;

onTheNode("a shared folder is the guest's with all below it, and then as it was", async () => {
  const notes = await onNode(`${TREE}
    guest life-a "$(share mapped)"
    everything >$work/before
    note start svirt start life-a
    note image label_in_xml life-a imagelabel
    for file in $folder $folder/sub $folder/sub/mine $folder/odd $folder/out; do label_of $file && echo; done >$work/all
    note labels cat $work/all
    note secret label_of $here/secret
    note state svirt domstate life-a
    note audit svirt audit
    note other sh -c "svirt define /dev/stdin <<XML >/dev/null && svirt start life-b
$(xml life-b "$(share mapped '' $folder/sub)")
XML"
    svirt destroy life-a >/dev/null
    everything >$work/after
    note same diff $work/before $work/after
    note left left life-a
    guest life-c "$(share passthrough '<readonly/>')"; guest life-d "$(share squash '<readonly/>')"
    note one svirt start life-c
    note two svirt start life-d
    note content label_of $folder/sub/mine
    note shared svirt audit
    svirt destroy life-c >/dev/null
    kill -9 $(pid_of life-d); wait_gone life-d
    everything >$work/after
    note again diff $work/before $work/after
    note host svirt start life-e 2>&1
  `);
  expect(noteOf(notes, "start")).toMatchObject({ code: 0, err: "" });
  const image = outOf(notes, "image").replace(":svirt_image_t:", ":svirt_folder_t:");
  expect(outOf(notes, "labels").split("\n")).toEqual(Array(5).fill(image));
  expect(outOf(notes, "secret")).not.toBe(image);
  expect(outOf(notes, "state")).toContain("running");
  expect(noteOf(notes, "audit")).toMatchObject({ code: 0, err: "" });
  expect(noteOf(notes, "other").err).toContain("shares /srv/lifecycle/all and all files in it");
  expect(noteOf(notes, "same")).toMatchObject({ code: 0, out: "" });
  expect(noteOf(notes, "left").out).toBe("");
  expect(noteOf(notes, "one")).toMatchObject({ code: 0, err: "" });
  expect(noteOf(notes, "two")).toMatchObject({ code: 0, err: "" });
  expect(outOf(notes, "content")).toBe("system_u:object_r:virt_content_t:s0");
  expect(noteOf(notes, "shared").code).toBe(0);
  expect(noteOf(notes, "again")).toMatchObject({ code: 0, out: "" });
});

/** Parses the results of the program in QEMU's place. */
function didOf(notes: Notes, name: string): Record<string, string> {
  const lines = outOf(notes, name).split("\n");
  return Object.fromEntries(
    lines.flatMap((line) => (line.includes("=") ? [line.split("=") as [string, string]] : [])),
  );
}

/** Acts of a 9p server for its guest. */
const WORK = [
  ...[
    "open",
    "list",
    "stat",
    "read",
    "change",
    "make",
    "attribute",
    "rename",
    "mkdir",
    "move-folder",
    "link",
  ],
  ...[
    "symlink",
    "stat-symlink",
    "read-symlink",
    "touch-symlink",
    "move-symlink",
    "unlink-symlink",
    "fifo",
    "move-fifo",
    "open-fifo",
    "chmod-fifo",
    "stat-fifo",
    "unlink-fifo",
    "socket",
    "stat-socket",
    "chmod-socket",
    "unlink-socket",
    "mkdir-again",
    "chmod-folder",
    "rmdir",
    "chmod",
    "remove",
  ],
];

onTheNode(
  "whoever has taken QEMU over does all in a shared folder and nothing beside it",
  async () => {
    const notes = await onNode(`${TREE}
    # svirt runs no emulator from a place for guests.
    mkdir -p /usr/local/libexec; cp $here/use-folder /usr/local/libexec/use-folder
    setfattr -n security.selinux -v system_u:object_r:qemu_exec_t:s0 /usr/local/libexec/use-folder
    chmod 755 $here /usr/local/libexec/use-folder
    for mode in mapped readonly; do
      more=; [ $mode = mapped ] || more='<readonly/>'
      rm -f /var/log/svirt/life-a.log
      guest life-a "<emulator>/usr/local/libexec/use-folder</emulator>$(share mapped "$more")"
      note start-$mode svirt start life-a
      # It ends by itself, and its reaper gives the folder back meanwhile.
      while [ -n "$(left life-a)" ]; do sleep 0.2; done
      note log-$mode cat /var/log/svirt/life-a.log
    done
    note new stat -c '%u %a' $folder/sub/new $folder/sub/made
    note label label_of $folder/sub/made/second
    note folder label_of $folder
    note said cat $folder/sub/mine
  `);
    const [mapped, readOnly] = [didOf(notes, "log-mapped"), didOf(notes, "log-readonly")];
    expect(mapped).toEqual({
      ...Object.fromEntries(WORK.map((name) => [name, "done"])),
      outside: "EACCES",
      above: "EACCES",
    });
    expect(readOnly).toMatchObject({
      open: "done",
      list: "done",
      read: "done",
      change: "EACCES",
      make: "EACCES",
    });
    expect(readOnly).toMatchObject({ mkdir: "EACCES", chmod: "EACCES", outside: "EACCES", above: "EACCES" });
    // The files belong to the folder's owner, without the set-user-ID bit.
    expect(outOf(notes, "new")).toBe("0 755\n0 700");
    expect(outOf(notes, "label")).toBe(outOf(notes, "folder"));
    expect(outOf(notes, "said")).toBe("host\nguest");
  },
  // Denied outside the folder, and in a read-only one.
  { denied: /comm="use-folder" .*tcontext=\S+:(?:var_t|virt_content_t):/ },
);
