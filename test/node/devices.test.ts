import { afterAll, expect } from "bun:test";
import { noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { node, onNode } from "./harness/on-the-node.ts";
import { isNodeUp } from "./isolation/on-the-node.ts";

const onTheNode = await onANode();

// Restores the node's devices for other test files.
afterAll(async () => {
  if (await isNodeUp())
    await node(["ssh", "modprobe -r vhost_scsi scsi_debug sg xhci_pci evdev; [ ! -e /dev/sg0 ]"]);
});

/** Device nodes of the node: its keyboard, a tablet on its USB, a disk in its memory. */
const NODES = `
  modprobe -a evdev xhci_pci scsi_debug sg vhost_scsi
  wait_for ls /dev/input/event0 /dev/bus/usb/001/002 /dev/sg0
  usb="<hostdev type='usb'><source><vendor id='0x0627'/><product id='0x0001'/></source></hostdev>"
  evdev="<input type='evdev'><source dev='/dev/input/event0'/></input>"
  passed="<input type='passthrough' bus='virtio'><source evdev='/dev/input/event0'/></input>"
  address=$(basename "$(dirname "$(dirname "$(ls -d /sys/bus/scsi/devices/*/scsi_generic/sg0)")")")
  scsi() {
    printf "<controller type='scsi' model='virtio-scsi'/><hostdev type='scsi'>%s<source><adapter name='scsi_host%s'/>" "$1" "\${address%%:*}"
    printf "<address bus='%s' target='%s' unit='%s'/></source></hostdev>" "$(echo $address | cut -d: -f2)" "$(echo $address | cut -d: -f3)" "$(echo $address | cut -d: -f4)"
  }
  vhost="<hostdev type='scsi_host'><source protocol='vhost' wwpn='naa.5123456789abcde0'/></hostdev>"
  facl() { stat -c '%a %u %g' "$@"; /usr/bin/getfattr -h -n system.posix_acl_access --absolute-names "$@" 2>&1 || :; }
`;

/**
 * Runs a guest with one device. Notes the device node during the run, and its change from before to after.
 */
const tried = (name: string, devices: string, node: string): string => `
  guest life-a "${devices}"
  labels ${node} >$work/before-${name}; facl ${node} >>$work/before-${name} || :
  note ${name} svirt start life-a
  note ${name}-image label_in_xml life-a imagelabel
  note ${name}-label label_of ${node}
  note ${name}-acl facl ${node}
  note ${name}-status svirt domstate life-a
  note ${name}-audit svirt audit
  svirt destroy life-a >/dev/null 2>&1 || :
  labels ${node} >$work/after-${name}; facl ${node} >>$work/after-${name} || :
  note ${name}-same diff $work/before-${name} $work/after-${name}
  note ${name}-left left life-a
`;

const DEVICES = [
  ["evdev", "$evdev", "/dev/input/event0"],
  ["passed", "$passed", "/dev/input/event0"],
  ["usb", "$usb", "/dev/bus/usb/001/002"],
  ["scsi", "$(scsi '')", "/dev/sg0"],
] as const;

onTheNode("devices of the host are a guest's own while it runs, and then as they were", async () => {
  const notes = await onNode(NODES + DEVICES.map(([name, xml, node]) => tried(name, xml, node)).join(""));
  for (const [name] of DEVICES) {
    expect({ name, start: noteOf(notes, name) }).toMatchObject({ name, start: { code: 0, err: "" } });
    expect({ name, label: outOf(notes, `${name}-label`) }).toEqual({
      name,
      label: outOf(notes, `${name}-image`),
    });
    expect(outOf(notes, `${name}-status`)).toContain("running");
    expect({ name, audit: noteOf(notes, `${name}-audit`).code }).toEqual({ name, audit: 0 });
    // The ACL is gone once QEMU has opened the node.
    expect(outOf(notes, `${name}-acl`)).toEndWith("system.posix_acl_access: No such attribute");
    expect({ name, ...noteOf(notes, `${name}-same`) }).toMatchObject({ name, code: 0, out: "" });
    expect(noteOf(notes, `${name}-left`).out).toBe("");
  }
});

onTheNode("guests share the node of vhost-scsi", async () => {
  const notes = await onNode(`${NODES}
    guest life-a "$vhost"
    guest life-b "$(echo "$vhost" | sed s/cde0/cde1/)"
    note before labels /dev/vhost-scsi
    note one svirt start life-a
    note two svirt start life-b
    note during labels /dev/vhost-scsi
    note first-end svirt destroy life-a
    note last-end svirt destroy life-b
    note after labels /dev/vhost-scsi
  `);
  for (const name of ["one", "two", "first-end", "last-end"])
    expect({ name, ...noteOf(notes, name) }).toMatchObject({ name, code: 0, err: "" });
  expect(outOf(notes, "during")).toContain('security.selinux="system_u:object_r:svirt_image_t:s0"');
  expect(outOf(notes, "after")).toBe(outOf(notes, "before"));
});

onTheNode(
  "memory that is a file, last words and what firmware reads: opened by name, by this guest alone",
  async () => {
    const notes = await onNode(`
    truncate -s 2M $here/pmem; printf x >$here/value; chmod 600 $here/pmem; chmod 644 $here/value
    cell="<maxMemory unit='MiB' slots='2'>64</maxMemory><cpu><numa><cell id='0' cpus='0' memory='16' unit='MiB'/></numa></cpu>"
    pmem="<memory model='virtio-pmem' access='shared'><source><path>$here/pmem</path></source><target><size unit='KiB'>2048</size></target></memory>"
    pstore="<pstore backend='acpi-erst'><path>$here/erst</path><size unit='KiB'>64</size></pstore>"
    value="<sysinfo type='fwcfg'><entry name='opt/org.example/a' file='$here/value'/></sysinfo>"
    guest life-a "$pmem$pstore" "$cell$value"
    note before labels $here/pmem $here/value
    note start svirt start life-a
    note image label_in_xml life-a imagelabel
    for file in pmem erst value; do label_of $here/$file && echo; done >$work/all
    note labels cat $work/all
    note modes stat -c %a $here/pmem $here/erst
    note audit svirt audit
    svirt destroy life-a >/dev/null
    note after labels $here/pmem $here/value
    note left left life-a
  `);
    expect(noteOf(notes, "start")).toMatchObject({ code: 0, err: "" });
    const image = outOf(notes, "image");
    expect(outOf(notes, "labels").split("\n")).toEqual([image, image, "system_u:object_r:virt_content_t:s0"]);
    expect(outOf(notes, "modes")).toBe("600\n600");
    expect(noteOf(notes, "audit").code).toBe(0);
    expect(outOf(notes, "after")).toBe(outOf(notes, "before"));
    expect(noteOf(notes, "left").out).toBe("");
  },
);

onTheNode("memory that guests share by a name is theirs while any of them runs", async () => {
  const notes = await onNode(`
    shmem="<shmem name='life-mail'><model type='ivshmem-plain'/><size unit='M'>1</size></shmem>"
    rm -f /dev/shm/life-mail
    guest life-a "$shmem"; guest life-b "$shmem"
    note one svirt start life-a
    note two svirt start life-b
    note during label_of /dev/shm/life-mail
    note seen svirt qemu-monitor-command life-b --hmp info memdev
    note audit svirt audit
    svirt destroy life-a >/dev/null
    note still label_of /dev/shm/life-mail
    svirt destroy life-b >/dev/null
    note after label_of /dev/shm/life-mail
    note attributes labels /dev/shm/life-mail
    note left left life-a
    rm -f /dev/shm/life-mail
  `);
  for (const name of ["one", "two"]) expect(noteOf(notes, name)).toMatchObject({ code: 0, err: "" });
  for (const name of ["during", "still"])
    expect(outOf(notes, name)).toBe("system_u:object_r:svirt_image_t:s0");
  expect(outOf(notes, "seen")).toContain("shmmem-shmem0");
  expect(noteOf(notes, "audit").code).toBe(0);
  expect(outOf(notes, "after")).toBe("system_u:object_r:tmpfs_t:s0");
  expect(outOf(notes, "attributes")).not.toContain("trusted.");
  expect(noteOf(notes, "left").out).toBe("");
});

onTheNode(
  "an emulated TPM runs beside its guest, as its user and in its context, and remembers",
  async () => {
    const notes = await onNode(`
    tpm="<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>"
    guest life-a "$tpm"
    note start svirt start life-a
    note image label_in_xml life-a imagelabel
    emulator() { for each in /proc/[0-9]*; do [ "$(readlink $each/exe)" != /usr/bin/swtpm ] || basename $each; done; }
    note context context_of $(emulator)
    note guest context_of $(pid_of life-a)
    note user field $(emulator) Uid
    note capabilities field $(emulator) CapBnd
    state=/var/lib/svirt/tpm/$(uuid_of life-a)
    for file in $state $state/tpm2-00.permall /run/svirt/$(uuid_of life-a)/guest/swtpm.sock; do label_of $file && echo; done >$work/all
    note labels cat $work/all
    note tpm svirt qemu-monitor-command life-a --hmp info tpm
    note audit svirt audit
    svirt destroy life-a >/dev/null
    note emulator emulator
    note after labels $state $state/tpm2-00.permall
    note owner stat -c '%u %a' $state $state/tpm2-00.permall
    note left left life-a
    note again svirt start life-a
    kill -9 $(pid_of life-a)
    wait_gone life-a
    note killed svirt domstate life-a
    note orphan emulator
    svirt undefine life-a >/dev/null
    note gone ls $state
    note uid uid_of life-a
  `);
    expect(noteOf(notes, "start")).toMatchObject({ code: 0, err: "" });
    const image = outOf(notes, "image");
    expect(outOf(notes, "context")).toBe(outOf(notes, "guest"));
    expect(outOf(notes, "user")).toBe(Array(4).fill(outOf(notes, "uid")).join("\t"));
    expect(outOf(notes, "capabilities")).toBe("0000000000000000");
    const folder = image.replace(":svirt_image_t:", ":svirt_folder_t:");
    expect(outOf(notes, "labels").split("\n")).toEqual([folder, folder, image]);
    expect(outOf(notes, "tpm")).toContain("type=emulator");
    expect(noteOf(notes, "audit").code).toBe(0);
    expect(outOf(notes, "emulator").trim()).toBe("");
    expect(outOf(notes, "after")).not.toContain("svirt_image_t");
    expect(outOf(notes, "owner")).toBe("0 700\n0 600");
    expect(noteOf(notes, "left").out).toBe("");
    expect(noteOf(notes, "again")).toMatchObject({ code: 0, err: "" });
    expect(outOf(notes, "killed")).toContain("shut off");
    expect(outOf(notes, "orphan").trim()).toBe("");
    expect(noteOf(notes, "gone").code).not.toBe(0);
  },
);

onTheNode("huge pages, locked memory and the host's NUMA node", async () => {
  const notes = await onNode(`
    pages=/sys/kernel/mm/hugepages/hugepages-2048kB
    before=$(cat $pages/nr_hugepages)
    guest life-a '' '<memoryBacking><hugepages/></memoryBacking>'
    echo 0 >$pages/nr_hugepages
    note none svirt start life-a
    echo 8 >$pages/nr_hugepages
    note huge svirt start life-a
    note free cat $pages/free_hugepages
    svirt destroy life-a >/dev/null 2>&1 || :
    note back cat $pages/free_hugepages
    echo "$before" >$pages/nr_hugepages
    guest life-b '' '<memoryBacking><locked/></memoryBacking>'
    note locked svirt start life-b
    note limits grep "locked memory" /proc/$(pid_of life-b)/limits
    note kept field $(pid_of life-b) VmLck
    svirt destroy life-b >/dev/null 2>&1 || :
    guest life-c '' "<memoryBacking><allocation mode='immediate'/></memoryBacking><numatune><memory mode='strict' nodeset='0'/></numatune>"
    note node svirt start life-c
    note left left life-a
    svirt destroy life-c >/dev/null 2>&1 || :
  `);
  expect(noteOf(notes, "none").code).not.toBe(0);
  expect(noteOf(notes, "none").err).toContain(
    "Cannot give the guest 8 huge pages of 2048 KiB: the host has 0",
  );
  expect(noteOf(notes, "huge")).toMatchObject({ code: 0, err: "" });
  expect([outOf(notes, "free"), outOf(notes, "back")]).toEqual(["0", "8"]);
  expect(noteOf(notes, "locked")).toMatchObject({ code: 0, err: "" });
  expect(outOf(notes, "limits")).toMatch(/unlimited +unlimited/);
  expect(Number.parseInt(outOf(notes, "kept"), 10)).toBeGreaterThan(16 * 1024);
  expect(noteOf(notes, "node")).toMatchObject({ code: 0, err: "" });
  expect(noteOf(notes, "left").out).toBe("");
});

onTheNode("a disk of the host is commanded by SCSI, one is slow, one comes over the network", async () => {
  const notes = await onNode(`${NODES}
    modprobe sd_mod
    wait_for ls /dev/sda
    lun="<controller type='scsi' model='virtio-scsi'/><disk type='block' device='lun'><driver name='qemu' type='raw'/><source dev='/dev/sda'/><target dev='sda' bus='scsi'/></disk>"
    guest life-a "$lun"
    note before labels /dev/sda
    note lun svirt start life-a
    note image label_in_xml life-a imagelabel
    note label label_of /dev/sda
    note block svirt qemu-monitor-command life-a --hmp info block
    svirt destroy life-a >/dev/null 2>&1 || :
    note after labels /dev/sda
    copy halt b.img
    guest life-b "$(disk $here/b.img vda '<iotune><total_iops_sec>100</total_iops_sec></iotune>')"
    note slow svirt start life-b
    note limits svirt qemu-monitor-command life-b '{"execute":"query-block"}'
    svirt destroy life-b >/dev/null 2>&1 || :
    nbd="<disk type='network' device='disk'><driver name='qemu' type='raw'/><source protocol='nbd' name='c'><host name='127.0.0.1' port='10809'/></source><target dev='vda' bus='virtio'/></disk>"
    guest life-c "$nbd"
    note unserved svirt start life-c
    note optional sh -c "svirt define /dev/stdin <<XML >/dev/null && svirt start life-d
$(xml life-d "<disk type='file' device='cdrom'><source file='$here/none.iso' startupPolicy='optional'/><target dev='hda' bus='ide'/></disk>")
XML"
    svirt destroy life-d >/dev/null 2>&1 || :
  `);
  expect(noteOf(notes, "lun")).toMatchObject({ code: 0, err: "" });
  expect(outOf(notes, "label")).toBe(outOf(notes, "image"));
  expect(outOf(notes, "block")).toContain("scsi0-0-0-0");
  expect(outOf(notes, "after")).toBe(outOf(notes, "before"));
  expect(noteOf(notes, "slow")).toMatchObject({ code: 0, err: "" });
  expect(outOf(notes, "limits")).toContain('"iops":100');
  // No server listens. The guest's domain lets QEMU try, so the error is not "Permission denied".
  expect(noteOf(notes, "unserved").err).toContain("Connection refused");
  expect(noteOf(notes, "optional")).toMatchObject({ code: 0 });
});
