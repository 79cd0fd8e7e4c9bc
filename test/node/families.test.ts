import { beforeAll, expect } from "bun:test";
import { readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expectDisks, listFlash } from "./families/disks.ts";
import { answerTo, fileOfDescriptor, type Inspected, inspected, LOOK } from "./families/inspect.ts";
import { expectPciAddresses } from "./families/pci-addresses.ts";
import { expectPins, expectProcessors } from "./families/processors.ts";
import { noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { node, onNode } from "./harness/on-the-node.ts";
import { isNodeUp } from "./isolation/on-the-node.ts";

// Four guests that together have every family of devices that svirt starts. QEMU's state is read over its
// monitor and compared with the XML; the kernel's state is read from /proc and /sys.

const onTheNode = await onANode();

/** linux/if_tun.h */
const IFF_MULTI_QUEUE = 0x100;
const MIB = 1024 * 1024;
const HERE = "/srv/lifecycle";
/** Folder of the package ovmf, on the machine that runs the tests. */
const DESCRIPTIONS = "/usr/share/qemu/firmware";

if (await isNodeUp()) {
  beforeAll(async () => {
    const files = ["CODE_4M", "CODE_4M.secboot", "VARS_4M", "VARS_4M.ms"];
    const descriptions = await readdir(DESCRIPTIONS);
    await node([
      "put",
      ...files.map((name) => `/usr/share/OVMF/OVMF_${name}.fd`),
      ...descriptions.map((name) => `${DESCRIPTIONS}/${name}`),
      "/srv/ovmf",
    ]);
  });
}

/** Starts the guest of that file after `before`, inspects it, and ends it after `more`. */
async function lookAt(name: string, before: string, more: string): Promise<Inspected> {
  const xml = await Bun.file(fileURLToPath(new URL(`families/${name}.xml`, import.meta.url))).text();
  const notes = await onNode(`
    clean
    name=life-${name}
    ${before}
    cat >$here/${name}.xml <<'XML'
${xml}XML
    note define svirt define $here/${name}.xml
    note start svirt start $name
    if svirt domstate $name | grep -q running; then
      ${LOOK}
      ${more}
      note audit svirt audit
    fi
    note destroy svirt destroy $name
    note left left $name
  `);
  for (const step of ["define", "start", "audit", "destroy"])
    expect({ step, ...noteOf(notes, step) }).toMatchObject({ step, code: 0, err: "" });
  expect(answerTo<object>(notes, "query-status")).toMatchObject({ status: "running" });
  return inspected(notes, xml);
}

/**
 * `answer COMMAND...` prints the first bytes from a screen, to which the command connects. Its input ends
 * after them.
 */
const ANSWER = `
  by_key() { SSH_ORIGINAL_COMMAND=$1 svirt shell; }
  has_answered() { [ "$(wc -c <$work/answer)" -ge 12 ]; }
  answer() {
    : >$work/answer
    wait_for has_answered | "$@" | cat >$work/answer
    head -c 12 $work/answer
  }
`;

/** Expects that the guest is gone. */
function expectNoTrace({ notes }: Inspected): void {
  expect(noteOf(notes, "left").out).toBe("");
}

/** Returns a property of a device as QEMU shows it. */
const property = ({ devices }: Inspected, id: string, name: string): string | undefined =>
  devices.get(id)?.properties.get(name);

onTheNode(
  "an emulated pc: all buses of disks, user network, serial ports, VNC on TCP, limits and pins",
  async () => {
    const guest = await lookAt(
      "pc",
      `
      truncate -s 3M $here/virtio.img
      truncate -s 1M $here/readonly.img
      truncate -s 5M $here/scsi.img
      truncate -s 6M $here/usb.img
      truncate -s 2M $here/cd.iso
      head -c 70000 /dev/zero >$here/initrd
      qemu-img create -q -f qcow2 $here/ide.qcow2 40M`,
      `
      group=/sys/fs/cgroup/svirt/$(uuid_of $name)
      for file in memory.max memory.high cpu.weight; do echo "$file $(cat $group/$file)"; done >$work/limits
      note limits cat $work/limits
      note io sh -c "grep ^$(cat /sys/class/block/vdc/dev) $group/io.max"
      get append /machine append
      get kernel /machine kernel
      get initrd /machine initrd
      get iothread /machine/peripheral/virtio-disk0 iothread
      get com1 /machine/peripheral/serial0 chardev
      get com2 /machine/peripheral/serial1 chardev
      get aes /machine/unattached/device[0] aes
      note vnc-display svirt vncdisplay $name
      ${ANSWER}
      note vnc-answer answer nc 127.0.0.1 5907
      note vnc-shell answer by_key 'nc 127.0.0.1 5907'`,
    );
    const { notes } = guest;
    expect(answerTo<string>(notes, "get-type")).toMatch(/^pc-i440fx-[\d.]+-machine$/);
    expectPciAddresses(guest);
    expectDisks(
      guest,
      new Map([
        [`${HERE}/virtio.img`, 3 * MIB],
        [`${HERE}/readonly.img`, MIB],
        [`${HERE}/ide.qcow2`, 40 * MIB],
        [`${HERE}/cd.iso`, 2 * MIB],
        [`${HERE}/scsi.img`, 5 * MIB],
        [`${HERE}/usb.img`, 6 * MIB],
      ]),
    );
    expect(property(guest, "virtio-disk0", "serial")).toBe("FIRST");
    expect(answerTo<string>(notes, "get-iothread")).toBe("/objects/iothread1");
    expect(property(guest, "usb-disk1", "removable")).toBe("true");
    expectPins(guest, expectProcessors(guest, "Westmere"));
    expect(answerTo<boolean>(notes, "get-aes")).toBe(false);
    expect(answerTo(notes, "query-memdev")).toMatchObject([{ size: 128 * MIB }]);
    expectDirectBoot(guest);
    expectCards(guest);
    expectSerialPorts(guest);
    expectAliases(guest);
    expect(answerTo(notes, "query-vnc")).toMatchObject({ enabled: true, host: "127.0.0.1", service: "5907" });
    expect(outOf(notes, "vnc-display")).toBe("127.0.0.1:7");
    // RFC 6143, 7.1.1: the server speaks first.
    expect(["vnc-answer", "vnc-shell"].map((each) => outOf(notes, each))).toEqual([
      "RFB 003.008",
      "RFB 003.008",
    ]);
    expectLimits(guest);
    expectNoTrace(guest);
  },
);

/** Expects the kernel's command line, and the files behind the kernel and the initrd. */
function expectDirectBoot({ notes }: Inspected): void {
  expect(answerTo<string>(notes, "get-append")).toBe("console=ttyS0 root=/dev/vda");
  const files = ["get-kernel", "get-initrd"].map((name) =>
    fileOfDescriptor(notes, /\d+$/.exec(answerTo<string>(notes, name))?.[0]),
  );
  expect(files).toEqual([`${HERE}/boot/kernel`, `${HERE}/initrd`]);
}

interface PciDevice {
  readonly qdev_id: string;
  readonly id: { readonly vendor: number; readonly device: number };
}

/** Expects models by their PCI IDs: Intel's 82540EM and 6300ESB, QEMU's xHCI, virtio's rng. pci.ids */
function expectCards(guest: Inspected): void {
  const { notes } = guest;
  const buses = answerTo<readonly { readonly devices: readonly PciDevice[] }[]>(notes, "query-pci");
  const cards = new Map(
    buses.flatMap(({ devices }) => devices).map(({ id, qdev_id }) => [qdev_id, [id.vendor, id.device]]),
  );
  expect(["net0", "watchdog0", "usb", "rng0"].map((id) => cards.get(id))).toEqual([
    [0x8086, 0x100e],
    [0x8086, 0x25ab],
    [0x1b36, 0x000d],
    [0x1af4, 0x1005],
  ]);
  expect(property(guest, "net0", "mac")).toBe("52:54:00:0a:0b:0c");
  expect(property(guest, "net0", "netdev")).toBe("hostnet0");
  expect(outOf(notes, "network")).toMatch(/hostnet0: index=0,type=user/);
  expect([property(guest, "rng0", "max-bytes"), property(guest, "rng0", "period")]).toEqual(["1024", "2000"]);
}

interface Chardev {
  readonly label: string;
  readonly filename: string;
}

/**
 * Expects QEMU's names of devices as aliases in the running guest's XML; parts of the board have no name in
 * QEMU.
 */
function expectAliases({ devices, notes }: Inspected): void {
  const aliases = [...outOf(notes, "shown").matchAll(/<alias name='([^']*)'\/>/g)].map(
    ([, name = ""]) => name,
  );
  const strange = aliases.filter((name) => !devices.has(name));
  expect(aliases.length).toBeGreaterThan(strange.length);
  expect(
    strange.filter((name) => !/^(?:pci\.0|pcie\.0|ide|fdc0|input\d|tpm0|watchdog0)$/.test(name)),
  ).toEqual([]);
}

/** Expects COM1 at 0x3f8 and COM2 at 0x2f8, each with its backend. */
function expectSerialPorts(guest: Inspected): void {
  const { devices, notes } = guest;
  const ports = ["serial0", "serial1"].map((id) => [devices.get(id)?.driver, property(guest, id, "iobase")]);
  expect(ports).toEqual([
    ["isa-serial", String(0x3f8)],
    ["isa-serial", String(0x2f8)],
  ]);
  expect(["get-com1", "get-com2"].map((name) => answerTo<string>(notes, name))).toEqual([
    "charserial0",
    "charserial1",
  ]);
  const pty = { label: "charserial1", filename: expect.stringMatching(/^pty:\/dev\/pts\/\d+$/) };
  expect(answerTo(notes, "query-chardev")).toContainEqual(expect.objectContaining(pty));
  const found = answerTo<readonly Chardev[]>(notes, "query-chardev").find(({ label }) => label === pty.label);
  expect(outOf(notes, "shown")).toContain(`<source path='${found?.filename.slice("pty:".length)}'/>`);
  expect(outOf(notes, "fds")).toMatch(new RegExp(` -> ${HERE}/serial\\.log$`, "m"));
}

/** Documentation/admin-guide/cgroup-v2.rst of Linux */
function expectLimits({ notes }: Inspected): void {
  expect(outOf(notes, "limits").split("\n")).toEqual([
    `memory.max ${900 * MIB}`,
    `memory.high ${800 * MIB}`,
    "cpu.weight 300",
  ]);
  expect(outOf(notes, "io")).toContain("rbps=5242880 wbps=max riops=max wiops=700");
}

onTheNode(
  "a q35 with KVM: sata, a block device, taps and vhost, unix sockets, virtio ports, TPM, huge pages, NUMA",
  async () => {
    const guest = await lookAt(
      "q35",
      `
      truncate -s 3M $here/sata.img
      truncate -s 2M $here/cd.iso
      pages=/sys/kernel/mm/hugepages/hugepages-2048kB
      were=$(cat $pages/nr_hugepages)
      echo 64 >$pages/nr_hugepages
      ip link add lifebr0 type bridge
      ip link set lifebr0 up
      trap 'echo "$were" >$pages/nr_hugepages; ip link del lifebr0; rm -rf "$work"' EXIT`,
      `
      note free cat $pages/free_hugepages
      note ports ls /sys/class/net/lifebr0/brif
      note mac cat /sys/class/net/vnet0/address
      note flags cat /sys/class/net/vnet0/tun_flags /sys/class/net/life-eth/tun_flags
      screen=/run/svirt/$(uuid_of $name)/guest/vnc.sock
      note socket ls -l $screen
      ${ANSWER}
      note screen answer by_key "nc -U $screen"
      note serial-socket stat -c %F $here/serial.sock`,
    );
    const { notes } = guest;
    expect(answerTo<string>(notes, "get-type")).toMatch(/^pc-q35-[\d.]+-machine$/);
    expectPciAddresses(guest);
    expectDisks(
      guest,
      new Map([
        [`${HERE}/sata.img`, 3 * MIB],
        [`${HERE}/cd.iso`, 2 * MIB],
        ["/dev/vdd", 64 * MIB],
      ]),
    );
    expectProcessors(guest, "host");
    expect(outOf(notes, "numa")).toMatch(
      /^2 nodes\s+node 0 cpus: 0\s+node 0 size: 96 MB[\s\S]*node 1 cpus: 1\s+node 1 size: 32 MB/,
    );
    expect(outOf(notes, "free")).toBe("0");
    expectTaps(guest);
    expectVirtioPorts(guest);
    expectAliases(guest);
    expect(outOf(notes, "serial-socket")).toBe("socket");
    const socket = {
      label: "charserial0",
      filename: expect.stringMatching(/:unix:.*\/serial\.sock,server=on$/),
    };
    expect(answerTo(notes, "query-chardev")).toContainEqual(expect.objectContaining(socket));
    expect(outOf(notes, "socket")).toMatch(/^s/);
    expect(outOf(notes, "screen")).toBe("RFB 003.008");
    expect(answerTo(notes, "query-vnc")).toMatchObject({ enabled: true, family: "unix" });
    expect(answerTo(notes, "query-tpm")).toMatchObject([{ model: "tpm-crb", options: { type: "emulator" } }]);
    expect(guest.devices.get("video0")?.driver).toMatch(/^virtio-(?:vga|gpu)/);
    expectNoTrace(guest);
  },
);

/**
 * Expects one tap on the bridge and one on none. The kernel carries the frames of both, each queue by its own
 * vhost-net.
 */
function expectTaps(guest: Inspected): void {
  const { devices, notes } = guest;
  expect([outOf(notes, "ports"), outOf(notes, "mac")]).toEqual(["vnet0", "fe:54:00:00:00:0d"]);
  // QEMU detaches all queues but the first until the guest's driver asks for more.
  const flags = outOf(notes, "flags").split("\n").map(Number);
  expect(flags.map((one) => (one & IFF_MULTI_QUEUE) !== 0)).toEqual([false, true]);
  const cards = ["net0", "net1"].map((id) => [
    devices.get(id)?.driver,
    property(guest, id, "mac"),
    property(guest, id, "mq"),
  ]);
  expect(cards).toEqual([
    ["virtio-net-pci", "52:54:00:00:00:0d", "false"],
    ["virtio-net-pci", "52:54:00:00:00:0e", "true"],
  ]);
  expect(outOf(notes, "fds").match(/ -> \/dev\/vhost-net$/gm)?.length).toBe(1 + 2);
}

function expectVirtioPorts(guest: Inspected): void {
  const { devices } = guest;
  const [channel, console] = [devices.get("channel0"), devices.get("console1")];
  expect([channel?.driver, channel?.bus]).toEqual(["virtserialport", "virtio-serial0.0"]);
  expect(property(guest, "channel0", "name")).toBe("org.qemu.guest_agent.0");
  // The first console is the serial port under another name.
  expect([console?.driver, console?.bus]).toEqual(["virtconsole", "virtio-serial0.0"]);
}

onTheNode(
  "an emulated q35 with UEFI: its code runs, and keeps its variables where only it may write",
  async () => {
    const guest = await lookAt(
      "uefi",
      "cp /srv/ovmf/*.fd $here/",
      `
    note vars-label label_of $here/uefi_VARS.fd
    note image label_in_xml $name imagelabel
    has_written() { ! cmp -s $here/uefi_VARS.fd $here/OVMF_VARS_4M.fd; }
    note firmware wait_for has_written
    note said wait_for grep -q BdsDxe $here/serial.log`,
    );
    const { notes } = guest;
    expect(listFlash(notes)).toEqual([
      [`${HERE}/OVMF_CODE_4M.fd`, true],
      [`${HERE}/uefi_VARS.fd`, false],
    ]);
    expect(outOf(notes, "vars-label")).toBe(outOf(notes, "image"));
    expect(noteOf(notes, "firmware")).toMatchObject({ code: 0 });
    // The boot manager prints its boot entry on the first serial port.
    expect(noteOf(notes, "said")).toMatchObject({ code: 0 });
    expectNoTrace(guest);
  },
);

onTheNode(
  "an emulated q35 with <os firmware='efi'>: the firmware that Debian's package describes, with Secure Boot",
  async () => {
    const guest = await lookAt(
      "efi",
      `
      mkdir $here/share
      cp -a /usr/share/. $here/share
      mount -t tmpfs -o rootcontext=system_u:object_r:usr_t:s0,mode=755 none /usr/share
      cp -a $here/share/. /usr/share
      mkdir /usr/share/OVMF /usr/share/qemu/firmware
      cp /srv/ovmf/*.fd /usr/share/OVMF
      ln -s OVMF_CODE_4M.secboot.fd /usr/share/OVMF/OVMF_CODE_4M.ms.fd
      cp /srv/ovmf/*.json /usr/share/qemu/firmware
      trap 'umount /usr/share; rm -rf "$work"' EXIT`,
      `
      variables=/var/lib/libvirt/qemu/nvram/$name'_VARS.fd'
      note vars-label label_of $variables
      note image label_in_xml $name imagelabel
      note stored svirt dumpxml --inactive $name
      has_written() { ! cmp -s $variables /usr/share/OVMF/OVMF_VARS_4M.ms.fd; }
      note firmware wait_for has_written
      svirt destroy $name >/dev/null
      note undefine svirt undefine $name
      note undefine-nvram svirt undefine $name --nvram
      note after ls /var/lib/libvirt/qemu/nvram
      svirt create $here/efi.xml >/dev/null`,
    );
    const { notes } = guest;
    const code = "/usr/share/OVMF/OVMF_CODE_4M";
    const variables = "/var/lib/libvirt/qemu/nvram/life-efi_VARS.fd";
    // Debian's description names a link.
    expect(listFlash(notes)).toEqual([
      [`${code}.secboot.fd`, true],
      [variables, false],
    ]);
    for (const text of [outOf(notes, "shown"), outOf(notes, "stored")]) {
      expect(text).toContain(
        `<loader readonly='yes' secure='yes' type='pflash' format='raw'>${code}.ms.fd</loader>`,
      );
      expect(text).toContain(
        `<nvram template='/usr/share/OVMF/OVMF_VARS_4M.ms.fd' templateFormat='raw' format='raw'>${variables}</nvram>`,
      );
      expect(text).toContain("<smm state='on'/>");
    }
    expect(outOf(notes, "vars-label")).toBe(outOf(notes, "image"));
    expect(noteOf(notes, "firmware")).toMatchObject({ code: 0 });
    expect(noteOf(notes, "undefine")).toMatchObject({
      code: 4,
      err: expect.stringContaining("cannot undefine domain with nvram"),
    });
    expect(noteOf(notes, "undefine-nvram")).toMatchObject({ code: 0 });
    expect(outOf(notes, "after")).toBe("");
    expectNoTrace(guest);
  },
);
