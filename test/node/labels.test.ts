import { expect } from "bun:test";
import { uuidOf } from "./harness/names.ts";
import { noteOf, outOf, parseLabels } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { onNode } from "./harness/on-the-node.ts";

const onTheNode = await onANode();

const PAIR = /^s0:c(\d+),c(\d+)$/;
/** Labels of the policy's virtual_image_context: of shared files, and of read-only content. */
const SHARED = "system_u:object_r:svirt_image_t:s0";
const CONTENT = "system_u:object_r:virt_content_t:s0";

/** Returns the range of a context: `a:b:c:d:e` -> `d:e` */
function rangeOf(context: string): string {
  return context.split(":").slice(3).join(":");
}

onTheNode("a dynamic label is the guest's own, the same at every start, and put back exactly", async () => {
  const notes = await onNode(`
    copy halt a.img b.img
    guest life-a "$(disk $here/a.img)"
    guest life-b "$(disk $here/b.img)"
    note before labels $here/a.img
    for turn in 1 2 3; do
      svirt start life-a >/dev/null
      note context$turn context_of $(pid_of life-a)
      note xml-label$turn label_in_xml life-a
      note xml-image$turn label_in_xml life-a imagelabel
      note disk$turn label_of $here/a.img
      note folder$turn label_of /run/svirt/${uuidOf("life-a")}/guest
      note remembered$turn labels $here/a.img
      note inactive$turn svirt dumpxml life-a --inactive
      [ $turn = 3 ] && svirt start life-b >/dev/null && note other context_of $(pid_of life-b)
      svirt destroy life-a >/dev/null
      note after$turn labels $here/a.img
    done
    svirt destroy life-b >/dev/null
  `);
  const context = outOf(notes, "context1");
  const range = rangeOf(context);
  expect(context).toMatch(/^system_u:system_r:svirt_tcg_t:s0:/);
  const [, low, high] = PAIR.exec(range) ?? [];
  expect(Number(low)).toBeLessThan(Number(high));
  expect(Number(high)).toBeLessThan(1024);
  for (const turn of [1, 2, 3]) {
    expect(outOf(notes, `context${turn}`)).toBe(context);
    expect(outOf(notes, `xml-label${turn}`)).toBe(context);
    expect(outOf(notes, `xml-image${turn}`)).toBe(`system_u:object_r:svirt_image_t:${range}`);
    expect(outOf(notes, `disk${turn}`)).toBe(`system_u:object_r:svirt_image_t:${range}`);
    expect(outOf(notes, `folder${turn}`)).toBe(`system_u:object_r:svirt_image_t:${range}`);
    expect(outOf(notes, `inactive${turn}`)).not.toContain("label>");
    expect(outOf(notes, `after${turn}`)).toBe(outOf(notes, "before"));
  }
  expect(rangeOf(outOf(notes, "other"))).toMatch(PAIR);
  expect(rangeOf(outOf(notes, "other"))).not.toBe(range);
  // While the file has another label, its attributes store the original one, with libvirt's names.
  const file = parseLabels(outOf(notes, "remembered1")).get("/srv/lifecycle/a.img");
  expect(file?.get("trusted.libvirt.security.selinux")).toBe("system_u:object_r:var_t:s0");
  expect(file?.get("trusted.libvirt.security.ref_selinux")).toBe("1");
  expect(outOf(notes, "before")).not.toContain("trusted.");
});

onTheNode(
  "a guest whose preferred pair is taken gets another, and its own again when that is free",
  async () => {
    const notes = await onNode(`
    guest life-a
    svirt start life-a >/dev/null
    note first context_of $(pid_of life-a)
    svirt destroy life-a >/dev/null
    guest life-static '' "$(static system_u:system_r:svirt_tcg_t:$(svirt plan life-a | sed -n 's/.*reserve level \\([^ ]*\\) .*/\\1/p'))"
    svirt start life-a >/dev/null
    note second context_of $(pid_of life-a)
    svirt destroy life-a >/dev/null
    svirt undefine life-static >/dev/null
    svirt start life-a >/dev/null
    note third context_of $(pid_of life-a)
    svirt destroy life-a >/dev/null
  `);
    expect(rangeOf(outOf(notes, "second"))).toMatch(PAIR);
    expect(outOf(notes, "second")).not.toBe(outOf(notes, "first"));
    expect(outOf(notes, "third")).toBe(outOf(notes, "first"));
  },
);

onTheNode("a static label is taken as it is; its files get it only with relabel='yes'", async () => {
  const label = "system_u:system_r:svirt_tcg_t:s0:c11,c22";
  const notes = await onNode(`
    copy halt a.img b.img
    guest life-yes "$(disk $here/a.img)" "$(static ${label} yes)"
    setfattr -n security.selinux -v system_u:object_r:svirt_image_t:s0:c11,c33 $here/b.img
    guest life-no "$(disk $here/b.img)" "$(static system_u:system_r:svirt_tcg_t:s0:c11,c33 no)"
    guest life-same '' "$(static ${label} yes)"
    note before labels $here/a.img $here/b.img
    svirt start life-yes >/dev/null
    svirt start life-no >/dev/null
    note context context_of $(pid_of life-yes)
    note yes label_of $here/a.img
    note no labels $here/b.img
    note xml svirt dumpxml life-yes
    note xml-no svirt dumpxml life-no
    note same svirt start life-same
    svirt destroy life-yes >/dev/null
    svirt destroy life-no >/dev/null
    note after labels $here/a.img $here/b.img
    note left left life-same
  `);
  expect(outOf(notes, "context")).toBe(label);
  expect(outOf(notes, "yes")).toBe("system_u:object_r:svirt_image_t:s0:c11,c22");
  expect(outOf(notes, "xml")).toContain(`<label>${label}</label>`);
  expect(outOf(notes, "xml")).toContain(
    "<imagelabel>system_u:object_r:svirt_image_t:s0:c11,c22</imagelabel>",
  );
  expect(outOf(notes, "xml-no")).not.toContain("<imagelabel>");
  expect(outOf(notes, "no")).not.toContain("trusted.");
  expect(outOf(notes, "no")).toContain("svirt_image_t:s0:c11,c33");
  // No other guest may run with that level at the same time.
  expect(noteOf(notes, "same").code).toBe(5);
  expect(noteOf(notes, "left").out).toBe("");
  expect(outOf(notes, "after")).toBe(outOf(notes, "before"));
});

onTheNode("baselabel gives the type, and svirt the rest", async () => {
  const base =
    "<seclabel type='dynamic' model='selinux'><baselabel>system_u:object_r:svirt_tcg_net_t:s0</baselabel></seclabel>";
  const notes = await onNode(`
    guest life-a '' "${base}"
    svirt start life-a >/dev/null
    note context context_of $(pid_of life-a)
    svirt destroy life-a >/dev/null
    guest life-b '' "${base.replace("svirt_tcg_net_t", "no_such_t")}"
    note unknown svirt start life-b
    note left left life-b
  `);
  expect(outOf(notes, "context")).toMatch(/^system_u:system_r:svirt_tcg_net_t:s0:c\d+,c\d+$/);
  expect(noteOf(notes, "unknown").code).toBe(5);
  expect(noteOf(notes, "unknown").err).toContain("no_such_t");
  expect(noteOf(notes, "left").out).toBe("");
});

onTheNode(
  "no guest runs unconfined: the settings refuse it, and after them the node's policy",
  async () => {
    const notes = await onNode(`
    copy halt a.img
    guest life-a "$(disk $here/a.img)" "<seclabel type='none'/>"
    note before labels $here/a.img
    note settings svirt start life-a
    allow_unconfined
    note policy svirt start life-a
    refuse_unconfined
    note after labels $here/a.img
    note left left life-a
  `);
    expect(noteOf(notes, "settings").code).toBe(5);
    // The policy does not let svirt run QEMU in svirt's domain (image/policy/svirt-manager.cil).
    expect(noteOf(notes, "policy").code).toBe(5);
    expect(noteOf(notes, "policy").err).toContain(
      "the SELinux policy does not allow svirt to run QEMU unconfined",
    );
    expect(outOf(notes, "after")).toBe(outOf(notes, "before"));
    expect(noteOf(notes, "left").out).toBe("");
  },
  // Besides QEMU's program svirt may be denied the monitor, whose socket has svirt's own label then, if it is
  // quicker.
  { denied: /execute_no_trans .* comm="setpriv"|connectto .* comm="svirt" path="[^"]*\/monitor.sock"/ },
);

onTheNode("a disk that another user keeps to himself is a guest's while it runs, and his again", async () => {
  const notes = await onNode(`
    copy halt a.img
    mkdir $here/his
    mv $here/a.img $here/his/a.img
    chmod 600 $here/his/a.img
    chmod 700 $here/his
    chown -R 1000:1000 $here/his
    guest life-a "$(disk $here/his/a.img)"
    note before stat -c '%n %u:%g %a' $here/his $here/his/a.img
    note start svirt start life-a
    note label label_in_xml life-a imagelabel
    note during label_of $here/his/a.img
    note audit svirt audit
    svirt destroy life-a >/dev/null
    note after stat -c '%n %u:%g %a' $here/his $here/his/a.img
  `);
  expect(noteOf(notes, "start")).toMatchObject({ code: 0, err: "" });
  expect(outOf(notes, "during")).toBe(outOf(notes, "label"));
  expect(outOf(notes, "audit")).toContain("No findings.");
  expect(outOf(notes, "after")).toBe(outOf(notes, "before"));
});

onTheNode("a chain of images: the guest writes the top, and only reads what guests share below", async () => {
  const notes = await onNode(`
    cd $here && copy halt base.img && mkdir sub
    setfattr -n security.selinux -v system_u:object_r:virt_image_t:s0 base.img
    qemu-img create -q -f qcow2 -b ../base.img -F raw sub/middle.qcow2
    qemu-img create -q -f qcow2 -b sub/middle.qcow2 -F qcow2 a.qcow2
    qemu-img create -q -f qcow2 -b sub/middle.qcow2 -F qcow2 b.qcow2
    guest life-a "$(disk $here/a.qcow2)"
    guest life-b "$(disk $here/b.qcow2)"
    all="$here/base.img $here/sub/middle.qcow2 $here/a.qcow2 $here/b.qcow2"
    note before labels $all
    svirt start life-a >/dev/null
    note one labels $all
    svirt start life-b >/dev/null
    note two labels $all
    note image-a label_in_xml life-a imagelabel
    note image-b label_in_xml life-b imagelabel
    svirt destroy life-a >/dev/null
    note half labels $all
    svirt destroy life-b >/dev/null
    note after labels $all
  `);
  const label = (name: string, file: string) =>
    parseLabels(outOf(notes, name)).get(`/srv/lifecycle/${file}`)?.get("security.selinux");
  for (const name of ["one", "two", "half"]) {
    expect(label(name, "base.img")).toBe(CONTENT);
    expect(label(name, "sub/middle.qcow2")).toBe(CONTENT);
  }
  expect(label("two", "a.qcow2")).toBe(outOf(notes, "image-a"));
  expect(label("two", "b.qcow2")).toBe(outOf(notes, "image-b"));
  expect(label("half", "a.qcow2")).toBe("system_u:object_r:var_t:s0");
  expect(label("before", "base.img")).toBe("system_u:object_r:virt_image_t:s0");
  expect(outOf(notes, "after")).toBe(outOf(notes, "before"));
});

onTheNode(
  "read-only disks are content, shareable ones any guest's; the last user puts them back",
  async () => {
    const notes = await onNode(`
    copy halt ro.img shared.img iso.img
    devices="$(disk $here/shared.img vda '<shareable/>')$(disk $here/ro.img vdb '<readonly/>')"
    devices="$devices$(disk $here/iso.img hdc '<readonly/>' cdrom)"
    guest life-a "$devices"
    guest life-b "$devices"
    all="$here/ro.img $here/shared.img $here/iso.img"
    note before labels $all
    svirt start life-a >/dev/null
    svirt start life-b >/dev/null
    note both labels $all
    svirt destroy life-b >/dev/null
    note one labels $all
    svirt destroy life-a >/dev/null
    note after labels $all
    note left left life-a
  `);
    for (const name of ["both", "one"]) {
      const files = parseLabels(outOf(notes, name));
      const label = (file: string) => files.get(`/srv/lifecycle/${file}`)?.get("security.selinux");
      expect(label("ro.img")).toBe(CONTENT);
      expect(label("iso.img")).toBe(CONTENT);
      expect(label("shared.img")).toBe(SHARED);
    }
    expect(outOf(notes, "after")).toBe(outOf(notes, "before"));
    expect(noteOf(notes, "left").out).toBe("");
  },
);

onTheNode("a block device is labelled while a guest has it, whatever node or link names it", async () => {
  const notes = await onNode(`
    block() { printf "<disk type='block' device='disk'><driver name='qemu' type='raw'/><source dev='%s'/>" "$1"
      printf "<target dev='vda' bus='virtio'/></disk>"; }
    ln -s /dev/vdd $here/stable-name
    mknod /dev/life-node b $(tr : ' ' </sys/class/block/vdd/dev)
    setfattr -n security.selinux -v "$(label_of /dev/vdd)" /dev/life-node
    guest life-a "$(block $here/stable-name)"
    guest life-b "$(block /dev/vdd)"
    guest life-c "$(block /dev/life-node)"
    note before labels /dev/vdd $here/stable-name
    note start svirt start life-a
    note during labels /dev/vdd $here/stable-name
    note image label_in_xml life-a imagelabel
    note same svirt start life-b
    note node svirt start life-c
    rm /dev/life-node
    svirt destroy life-a >/dev/null
    note after labels /dev/vdd $here/stable-name
    guest life-file "$(disk /dev/vdd)"
    note as-file svirt start life-file
  `);
  expect(noteOf(notes, "start").code).toBe(0);
  const during = parseLabels(outOf(notes, "during"));
  expect(during.get("/dev/vdd")?.get("security.selinux")).toBe(outOf(notes, "image"));
  const link = (name: string) => parseLabels(outOf(notes, name)).get("/srv/lifecycle/stable-name");
  expect(link("during")).toEqual(link("before"));
  expect(noteOf(notes, "same").code).toBe(5);
  expect(noteOf(notes, "node").code).toBe(5);
  expect(outOf(notes, "before")).toContain("fixed_disk_device_t:s0");
  expect(outOf(notes, "after")).toBe(outOf(notes, "before"));
  expect(noteOf(notes, "as-file").code).toBe(2);
});

onTheNode("kernel and initrd are content that guests share", async () => {
  const notes = await onNode(`
    cp $here/boot/kernel $here/kernel
    head -c 4096 /dev/zero >$here/initrd
    os="<kernel>$here/kernel</kernel><initrd>$here/initrd</initrd>"
    guest life-a
    guest life-b
    note before labels $here/kernel $here/initrd
    svirt start life-a >/dev/null
    svirt start life-b >/dev/null
    svirt destroy life-b >/dev/null
    note during labels $here/kernel $here/initrd
    svirt destroy life-a >/dev/null
    note after labels $here/kernel $here/initrd
  `);
  expect(outOf(notes, "during").split(`security.selinux="${CONTENT}`)).toHaveLength(3);
  expect(outOf(notes, "after")).toBe(outOf(notes, "before"));
});

onTheNode("a source's own seclabel goes before the rule", async () => {
  const notes = await onNode(`
    copy halt a.img b.img c.img
    own="${SHARED}"
    # What the guest may not use the kernel takes from it, so this one has a label that it may.
    setfattr -n security.selinux -v ${SHARED} $here/b.img
    labelled() { printf "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='%s'>%s</source>" "$1" "$2"
      printf "<target dev='%s' bus='virtio'/></disk>" "$3"; }
    guest life-a "$(labelled $here/a.img "<seclabel model='selinux' relabel='yes'><label>$own</label></seclabel>" vda
      labelled $here/b.img "<seclabel model='selinux' relabel='no'/>" vdb)"
    note before labels $here/a.img $here/b.img
    note start svirt start life-a
    note a label_of $here/a.img
    note b labels $here/b.img
    svirt destroy life-a >/dev/null
    note after labels $here/a.img $here/b.img
    guest life-a "$(labelled $here/c.img "<seclabel model='selinux' relabel='no'/>" vda)"
    note foreign svirt start life-a
    setfattr -n security.selinux -v system_u:object_r:etc_t:s0 $here/c.img
    note elsewhere svirt start life-a
  `);
  expect(noteOf(notes, "start").code).toBe(0);
  expect(noteOf(notes, "foreign").code).toBe(5);
  expect(noteOf(notes, "foreign").err).toContain("read a file labelled system_u:object_r:var_t:s0");
  expect(noteOf(notes, "elsewhere").code).toBe(5);
  expect(noteOf(notes, "elsewhere").err).toContain("its label etc_t is for files in other folders");
  expect(outOf(notes, "a")).toBe(SHARED);
  expect(outOf(notes, "before")).toContain(outOf(notes, "b").trim());
  expect(outOf(notes, "after")).toBe(outOf(notes, "before"));
});

/** Ways in which life-b names life-a's disk. */
const WAYS: Readonly<Record<string, string>> = {
  path: '"$(disk $here/a.img)"',
  symlink: '"$(disk $here/symlink.img)"',
  hardlink: '"$(disk $here/hardlink.img)"',
  bind: '"$(disk $here/mnt/a.img)"',
  dots: '"$(disk $here/../lifecycle//boot/../a.img)"',
  readonly: '"$(disk $here/a.img vda "<readonly/>")"',
  shareable: '"$(disk $here/a.img vda "<shareable/>")"',
  cdrom: '"$(disk $here/a.img hdc "<readonly/>" cdrom)"',
  backing: '"$(disk $here/top.qcow2)"',
  "hidden-backing": '"$(disk $here/link.qcow2)"',
  serial: `"<serial type='file'><source path='$here/hardlink.img' append='on'/></serial>"`,
};

onTheNode("no second guest gets a running guest's disk, by whatever path and for whatever use", async () => {
  const tries = Object.entries(WAYS).map(
    ([way, devices]) => `guest life-b ${devices}\nnote ${way} svirt start life-b\nleft life-b >>$work/left`,
  );
  const notes = await onNode(`
    copy halt a.img
    ln -s a.img $here/symlink.img
    ln $here/a.img $here/hardlink.img
    mkdir $here/mnt && mount -o bind $here $here/mnt
    qemu-img create -q -f qcow2 -b $here/a.img -F raw $here/top.qcow2
    qemu-img create -q -f qcow2 -b symlink.img -F raw $here/link.qcow2
    guest life-a "$(disk $here/a.img)"
    note before labels $here/a.img $here/top.qcow2 $here/link.qcow2 $here/symlink.img
    svirt start life-a >/dev/null
    note during labels $here/a.img $here/top.qcow2 $here/link.qcow2 $here/symlink.img
    pid=$(pid_of life-a)
    ${tries.join("\n")}
    note same-pid test $pid = $(pid_of life-a)
    note still labels $here/a.img $here/top.qcow2 $here/link.qcow2 $here/symlink.img
    svirt destroy life-a >/dev/null
    note after labels $here/a.img $here/top.qcow2 $here/link.qcow2 $here/symlink.img
    guest life-b "$(disk $here/hardlink.img)"
    note free svirt start life-b
    svirt destroy life-b >/dev/null
    umount $here/mnt
    note left cat $work/left
  `);
  for (const way of Object.keys(WAYS)) {
    expect({ way, ...noteOf(notes, way) }).toMatchObject({ way, code: 5, out: "" });
  }
  expect(noteOf(notes, "left").out.trim()).toBe("");
  expect(noteOf(notes, "same-pid").code).toBe(0);
  expect(outOf(notes, "still")).toBe(outOf(notes, "during"));
  expect(outOf(notes, "after")).toBe(outOf(notes, "before"));
  expect(noteOf(notes, "free").code).toBe(0);
});

onTheNode("what a running guest only reads no other guest may write", async () => {
  const notes = await onNode(`
    copy halt base.img
    guest life-a "$(disk $here/base.img vda '<readonly/>')"
    guest life-b "$(disk $here/base.img)"
    guest life-c "$(disk $here/base.img vda '<shareable/>')"
    svirt start life-a >/dev/null
    note during labels $here/base.img
    note write svirt start life-b
    note share svirt start life-c
    note still labels $here/base.img
    svirt destroy life-a >/dev/null
  `);
  expect(noteOf(notes, "write").code).toBe(5);
  expect(noteOf(notes, "share").code).toBe(5);
  expect(outOf(notes, "still")).toBe(outOf(notes, "during"));
});
