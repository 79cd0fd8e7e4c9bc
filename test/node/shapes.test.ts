import { expect } from "bun:test";
import { type Notes, noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { onNode } from "./harness/on-the-node.ts";
import { diskXml, virtInstall } from "./shapes/virt-install.ts";

// The eight shapes of guests with which libvirt was measured. libvirt starts none of them on stock Debian 13.
// svirt starts each under enforcing, from XML as virt-install writes it. Each is inspected while it runs, and
// ended.

const onTheNode = await onANode();

const HERE = "/srv/lifecycle";
const NAME = "life-p";
const CONSOLE = '<console type="pty"/>';
const BIOS_HAS_READ = "booted() { svirt domblkstat life-p vda | grep -q 'rd_req [1-9]'; }\nwait_for booted";

/**
 * Starts the guest of that XML, inspects it by `look`, and ends it; `files` are those whose labels must be
 * restored.
 */
async function tryShape(
  xml: string,
  { before = "", files, look }: { readonly before?: string; readonly files: string; readonly look: string },
): Promise<Notes> {
  const notes = await onNode(`
    clean
    qmp() { svirt qemu-monitor-command ${NAME} "{\\"execute\\":\\"$1\\"}"; }
    copy count a.img
    ${before}
    cat >$here/p.xml <<'XML'
${xml}XML
    note enforcing cat /sys/fs/selinux/enforce
    note labels-before labels ${files}
    note define svirt define $here/p.xml
    note start svirt start ${NAME}
    note label label_in_xml ${NAME}
    note image label_in_xml ${NAME} imagelabel
    note context context_of $(pid_of ${NAME})
    for file in ${files}; do label_of $file && echo; done >$work/during
    note labels-during cat $work/during
    # Without it there is nothing to wait for.
    if svirt domstate ${NAME} | grep -q running; then
      :
      ${look}
    fi
    note state svirt domstate ${NAME}
    note audit svirt audit
    note destroy svirt destroy ${NAME}
    note left left ${NAME}
    note labels-after labels ${files}
  `);
  expectConfined(notes);
  return notes;
}

/** Expects that it started, ran in a context of its own, and that all labels were restored. */
function expectConfined(notes: Notes): void {
  expect(outOf(notes, "enforcing")).toBe("1");
  expect(noteOf(notes, "define")).toMatchObject({ code: 0, err: "" });
  expect(noteOf(notes, "start")).toMatchObject({ code: 0, err: "" });
  expect(outOf(notes, "context")).toMatch(/^system_u:system_r:svirt_t:s0:c\d+,c\d+$/);
  expect(outOf(notes, "context")).toBe(outOf(notes, "label"));
  const [, level] = outOf(notes, "context").split(":svirt_t:");
  expect(outOf(notes, "image")).toBe(`system_u:object_r:svirt_image_t:${level}`);
  expect(outOf(notes, "state")).toBe("running");
  expect({ audit: noteOf(notes, "audit").out, code: noteOf(notes, "audit").code }).toMatchObject({ code: 0 });
  expect(noteOf(notes, "destroy")).toMatchObject({ code: 0, err: "" });
  expect(noteOf(notes, "left").out).toBe("");
  expect(outOf(notes, "labels-after")).toBe(outOf(notes, "labels-before"));
}

/** Returns the value of the only answer to a QMP command. */
const answerOf = (notes: Notes, name: string): unknown => JSON.parse(outOf(notes, name)).return;

onTheNode("p1, a disk: the BIOS reads it", async () => {
  const xml = virtInstall({ name: NAME, devices: [diskXml(`${HERE}/a.img`, "raw"), CONSOLE] });
  const notes = await tryShape(xml, { files: `${HERE}/a.img`, look: BIOS_HAS_READ });
  expect(outOf(notes, "labels-during")).toBe(outOf(notes, "image"));
});

onTheNode("p2, a kernel and an initrd: the kernel's code runs", async () => {
  const os = [
    `<kernel>${HERE}/boot/kernel</kernel>`,
    `<initrd>${HERE}/initrd</initrd>`,
    "<cmdline>console=ttyS0 quiet</cmdline>",
  ];
  const notes = await tryShape(virtInstall({ name: NAME, os, devices: [CONSOLE] }), {
    before: "head -c 100000 /dev/zero >$here/initrd",
    files: `${HERE}/boot/kernel ${HERE}/initrd`,
    // The kernel of these tests halts at 0x6a of its setup code, in the segment of the loader.
    look: `
      halted() { svirt qemu-monitor-command ${NAME} --hmp info registers | grep -q 'EIP=0000006[9abc]\\|RIP=000000000000006[9abc]'; }
      wait_for halted
      note registers svirt qemu-monitor-command ${NAME} --hmp info registers
      note line svirt qemu-monitor-command ${NAME} '{"execute":"qom-get","arguments":{"path":"/machine","property":"append"}}'`,
  });
  const content = "system_u:object_r:virt_content_t:s0";
  expect(outOf(notes, "labels-during")).toBe(`${content}\n${content}`);
  expect(outOf(notes, "registers")).toMatch(/[ER]IP=0+6[9abc]\b/);
  expect(answerOf(notes, "line")).toBe("console=ttyS0 quiet");
});

onTheNode("p3, shared memory without a name (memfd)", async () => {
  const beside = ['<memoryBacking><source type="memfd"/><access mode="shared"/></memoryBacking>'];
  const notes = await tryShape(
    virtInstall({ name: NAME, beside, devices: [diskXml(`${HERE}/a.img`, "raw"), CONSOLE] }),
    {
      files: `${HERE}/a.img`,
      look: `${BIOS_HAS_READ}
        note memory qmp query-memdev
        note maps sh -c "grep -c 'rw-s.*memfd:memory-backend-memfd' /proc/$(pid_of ${NAME})/maps"`,
    },
  );
  expect(answerOf(notes, "memory")).toMatchObject([{ size: 64 * 1024 * 1024, share: true }]);
  expect(Number(outOf(notes, "maps"))).toBeGreaterThan(0);
});

onTheNode("p4, huge pages: all of its memory is of them", async () => {
  const beside = ["<memoryBacking><hugepages/></memoryBacking>"];
  const notes = await tryShape(
    virtInstall({ name: NAME, beside, devices: [diskXml(`${HERE}/a.img`, "raw"), CONSOLE] }),
    {
      before: `
        pages=/sys/kernel/mm/hugepages/hugepages-2048kB
        were=$(cat $pages/nr_hugepages)
        trap 'echo "$were" >$pages/nr_hugepages; rm -rf "$work"' EXIT
        # The kernel may first have to gather free memory.
        set_aside() { echo 32 >$pages/nr_hugepages; [ "$(cat $pages/free_hugepages)" = 32 ]; }
        wait_for set_aside
        note set-aside cat $pages/free_hugepages`,
      files: `${HERE}/a.img`,
      look: `${BIOS_HAS_READ}\nnote free cat $pages/free_hugepages`,
    },
  );
  // 64 MiB are 32 pages of 2 MiB; libvirt makes QEMU touch them all (prealloc).
  expect([outOf(notes, "set-aside"), outOf(notes, "free")]).toEqual(["32", "0"]);
});

onTheNode("p5, a network card on a bridge: a frame of the guest's reaches it", async () => {
  const card = `<interface type="bridge">
      <source bridge="lifebr0"/>
      <mac address="52:54:00:00:00:05"/>
      <model type="virtio"/>
    </interface>`;
  const notes = await tryShape(
    virtInstall({ name: NAME, devices: [diskXml(`${HERE}/a.img`, "raw"), card, CONSOLE] }),
    {
      before: `
        ip link add lifebr0 type bridge
        ip link set lifebr0 up
        trap 'ip link del lifebr0; rm -rf "$work"' EXIT`,
      files: `${HERE}/a.img`,
      look: `
        note ports ls /sys/class/net/lifebr0/brif
        svirt qemu-monitor-command ${NAME} '{"execute":"announce-self","arguments":{"initial":50,"max":100,"rounds":5,"step":10}}' >/dev/null
        heard() { [ "$(cat /sys/class/net/vnet0/statistics/rx_packets)" -gt 0 ]; }
        wait_for heard
        note heard cat /sys/class/net/vnet0/statistics/rx_packets
        note words sh -c "tr '\\0' '\\n' </proc/$(pid_of ${NAME})/cmdline | grep hostnet0"`,
    },
  );
  expect(outOf(notes, "ports")).toBe("vnet0");
  expect(Number(outOf(notes, "heard"))).toBeGreaterThan(0);
  expect(outOf(notes, "words")).toContain('"vhost":true');
});

onTheNode("p6, agent channel, VNC, rng and a console with a log: what the guest says is in it", async () => {
  const devices = [
    diskXml(`${HERE}/a.img`, "raw"),
    `<console type="pty">
      <log file="${HERE}/console.log"/>
    </console>`,
    `<channel type="unix">
      <source mode="bind"/>
      <target type="virtio" name="org.qemu.guest_agent.0"/>
    </channel>`,
    '<input type="tablet" bus="usb"/>',
    '<graphics type="vnc" port="-1"/>',
    '<video><model type="vga"/></video>',
    '<rng model="virtio"><backend model="random">/dev/urandom</backend></rng>',
  ];
  const notes = await tryShape(virtInstall({ name: NAME, devices }), {
    files: `${HERE}/a.img`,
    look: `
      said() { [ "$(wc -c <$here/console.log)" -ge 3 ]; }
      wait_for said
      note log head -c 3 $here/console.log
      note log-label label_of $here/console.log
      note vnc qmp query-vnc
      note display svirt vncdisplay ${NAME}
      note greeting sh -c '{ sleep 2; } | nc 127.0.0.1 $((5900 + $(svirt vncdisplay ${NAME} | sed -n s/.*://p))) | head -c 12'
      note chardevs qmp query-chardev
      note ports svirt qemu-monitor-command ${NAME} --hmp info qtree`,
  });
  expect(outOf(notes, "log")).toBe("012");
  expect(outOf(notes, "log-label")).toBe(outOf(notes, "image"));
  expect(outOf(notes, "display")).toBe("127.0.0.1:0");
  expect(answerOf(notes, "vnc")).toMatchObject({ enabled: true });
  // RFC 6143, 7.1.1
  expect(outOf(notes, "greeting")).toMatch(/^RFB 003\.\d{3}$/);
  expect(outOf(notes, "ports")).toContain('name = "org.qemu.guest_agent.0"');
  expect(outOf(notes, "ports")).toContain("dev: virtio-rng-pci");
});

onTheNode("p7, an emulated TPM: swtpm answers, in the guest's own context", async () => {
  const tpm = '<tpm model="tpm-crb"><backend type="emulator"/></tpm>';
  const notes = await tryShape(
    virtInstall({ name: NAME, devices: [diskXml(`${HERE}/a.img`, "raw"), CONSOLE, tpm] }),
    {
      files: `${HERE}/a.img`,
      look: `${BIOS_HAS_READ}
        emulator() { for each in /proc/[0-9]*; do [ "$(readlink $each/exe)" != /usr/bin/swtpm ] || basename $each; done; }
        note emulator context_of $(emulator)
        note tpm qmp query-tpm`,
    },
  );
  expect(outOf(notes, "emulator")).toBe(outOf(notes, "context"));
  expect(answerOf(notes, "tpm")).toMatchObject([{ model: "tpm-crb", options: { type: "emulator" } }]);
});

onTheNode(
  "p8, a chain of qcow2 images and a CD: plugged into, layered, committed, saved and restored",
  async () => {
    const devices = [
      diskXml(`${HERE}/top.qcow2`, "qcow2"),
      diskXml(`${HERE}/cd.iso`, "raw", { device: "cdrom", target: "sda" }),
      CONSOLE,
    ];
    const notes = await tryShape(virtInstall({ name: NAME, devices }), {
      before: `
        cp $here/a.img $here/base.img
        qemu-img create -q -f qcow2 -F raw -b $here/base.img $here/middle.qcow2
        qemu-img create -q -f qcow2 -F qcow2 -b $here/middle.qcow2 $here/top.qcow2
        truncate -s 1M $here/cd.iso $here/more.img`,
      files: `${HERE}/top.qcow2 ${HERE}/middle.qcow2 ${HERE}/base.img ${HERE}/cd.iso ${HERE}/more.img`,
      look: `${BIOS_HAS_READ}
        note attach svirt attach-disk ${NAME} $here/more.img vdb
        note more label_of $here/more.img
        note snapshot svirt snapshot-create-as ${NAME} s1 --disk-only --no-metadata --diskspec vda --diskspec vdb,snapshot=no --diskspec sda,snapshot=no
        note overlay label_of $here/top.s1
        note below label_of $here/top.qcow2
        note commit svirt blockcommit ${NAME} vda --shallow --active --pivot
        note disks svirt domblklist ${NAME}
        note save svirt save ${NAME} $here/p.save
        note saved svirt domstate ${NAME}
        note between labels $here/top.qcow2 $here/middle.qcow2 $here/base.img $here/cd.iso $here/more.img
        note restore svirt restore $here/p.save
        note again label_of $here/top.qcow2
        note image-again label_in_xml ${NAME} imagelabel
        rm -f $here/top.s1 $here/p.save`,
    });
    const content = "system_u:object_r:virt_content_t:s0";
    const image = outOf(notes, "image");
    const [top, middle, base, cd] = outOf(notes, "labels-during").split("\n");
    expect([top, middle, base, cd]).toEqual([image, content, content, content]);
    for (const name of ["attach", "snapshot", "commit", "save", "restore"])
      expect({ name, ...noteOf(notes, name) }).toMatchObject({ name, code: 0, err: "" });
    expect(outOf(notes, "more")).toBe(image);
    expect([outOf(notes, "overlay"), outOf(notes, "below")]).toEqual([image, content]);
    expect(outOf(notes, "disks")).toMatch(/vda +\/srv\/lifecycle\/top\.qcow2/);
    expect(outOf(notes, "saved")).toBe("shut off");
    expect(outOf(notes, "between")).toBe(outOf(notes, "labels-before"));
    expect(outOf(notes, "again")).toBe(outOf(notes, "image-again"));
  },
);
