import { describe, expect, test } from "bun:test";
import { parseDomain } from "../../../src/domain/document.ts";
import { bytesOf, domainWith } from "../corpus.ts";

const head =
  "<domain type='kvm'><name>a</name><uuid>c7a5fdbd-edaf-9455-926a-d65c16db1809</uuid><memory>1</memory>";

describe("parseDomain() refuses", () => {
  test.each([
    ["<vcpu current='3'>2</vcpu>", "/domain/vcpu/@current in line 1: 3 is more than the 2 virtual CPUs"],
    ["<vcpu cpuset='3-0'>2</vcpu>", '/domain/vcpu/@cpuset in line 1: "3-0" is not numbers from 0 to 16383'],
    ["<vcpu cpuset='0,^0'>2</vcpu>", '/domain/vcpu/@cpuset in line 1: "0,^0" is not numbers'],
    ["<vcpu placement='auto' cpuset='0'>2</vcpu>", "/domain/vcpu/@cpuset in line 1: placement='auto' leaves"],
    [
      "<vcpu>2</vcpu><cputune><vcpupin vcpu='2' cpuset='0'/></cputune>",
      "/domain/cputune/vcpupin/@vcpu in line 1: the guest does not have number 2",
    ],
    [
      "<vcpu>2</vcpu><cputune><vcpusched vcpus='0-1' scheduler='batch'/><vcpusched vcpus='1' scheduler='idle'/></cputune>",
      "/domain/cputune/vcpusched/@vcpus in line 1: 1 is in two of them",
    ],
    [
      "<cputune><emulatorsched scheduler='rr'/></cputune>",
      '/domain/cputune/emulatorsched/@priority in line 1: the scheduler "rr" needs one',
    ],
    [
      "<vcpu current='2'>2</vcpu><vcpus><vcpu id='0' enabled='yes'/><vcpu id='1' enabled='no'/></vcpus>",
      "/domain/vcpus in line 1: 1 are enabled, and <vcpu> says 2",
    ],
    ...(
      [
        ["<driver iothread='2'/>", "vda", "the guest has no I/O thread 2"],
        ["<driver iothread='1'/>", "sda", "only virtio devices have I/O threads"],
        [
          "<driver iothread='1'><iothreads><iothread id='1'/></iothreads></driver>",
          "vda",
          "iothread and <iothreads> exclude each other",
        ],
        [
          "<driver queues='2'><iothreads><iothread id='1'><queue id='0'/></iothread></iothreads></driver>",
          "vda",
          "it must map each of 2 queues once",
        ],
      ] as const
    ).map(([driver, dev, problem]) => [
      `<iothreads>1</iothreads><devices><disk>${driver}<source file='/a'/><target dev='${dev}'/></disk></devices>`,
      `/domain/devices/disk[1]/driver in line 1: ${problem}`,
    ]),
    [
      "<iothreadids><iothread id='1'/><iothread id='1'/></iothreadids>",
      "/domain/iothreadids in line 1: two I/O threads have the number 1",
    ],
    [
      "<vcpu>4</vcpu><cpu><topology sockets='2' cores='1' threads='1'/></cpu>",
      "/domain/cpu/topology in line 1: it has room for 2 virtual CPUs, and the guest has 4",
    ],
    [
      "<cpu><topology sockets='2' dies='2' cores='2' threads='2'/></cpu>",
      "/domain/cpu/topology in line 1: it has room for 16 virtual CPUs, and the guest has 1",
    ],
    [
      "<cpu mode='host-model'><cache mode='passthrough'/></cpu>",
      "/domain/cpu/cache/@mode in line 1: the processor is not the host's",
    ],
    [
      "<cpu mode='host-model'><model>Haswell</model></cpu>",
      "/domain/cpu/model/text() in line 1: svirt does not know it",
    ],
    ["<clock/>", "/domain/clock/@offset in line 1: it is missing"],
    ["<on_crash>rename-restart</on_crash>", '/domain/on_crash in line 1: "rename-restart" is not one of'],
  ])("%s", (xml, message) => {
    expect(() => parseDomain(bytesOf(`${head}<os><type>hvm</type></os>${xml}</domain>`))).toThrow(
      `Cannot read ${message}`,
    );
  });

  test.each([
    ["<os/>", "/domain/os/type in line 1: it is missing"],
    ["<os><type/></os>", "/domain/os/type/text() in line 1: it is missing"],
    ["<os><type>exe</type></os>", '/domain/os/type in line 1: "exe" is not "hvm"'],
    [
      "<os><type arch='s390x'>hvm</type></os>",
      '/domain/os/type/@arch in line 1: "s390x" is not one of "x86_64", "i686"',
    ],
    ["<os><type machine='q35,usb=on'>hvm</type></os>", "/domain/os/type/@machine in line 1: "],
    ["<os><type>hvm</type><initrd>/i</initrd></os>", "/domain/os/initrd in line 1: it requires a kernel"],
    ["<os><type>hvm</type><cmdline>a</cmdline></os>", "/domain/os/cmdline in line 1: it requires a kernel"],
    [
      "<os><type>hvm</type><kernel>k</kernel></os>",
      '/domain/os/kernel in line 1: "k" is not an absolute path',
    ],
    [
      "<os firmware='shim'><type>hvm</type></os>",
      '/domain/os/@firmware in line 1: "shim" is not one of "bios", "efi"',
    ],
  ])("%s", (xml, message) => {
    expect(() => parseDomain(bytesOf(`${head}${xml}</domain>`))).toThrow(`Cannot read ${message}`);
  });

  test.each([
    [
      "<disk device='disk'><target dev='vda'/></disk>",
      "disk in line 6: only a CD-ROM or floppy drive may be empty",
    ],
    ["<disk><source file='/a'/></disk>", "disk/target in line 6: it is missing"],
    [
      "<disk><source file='a'/><target dev='vda'/></disk>",
      'disk/source/@file in line 6: "a" is not an absolute path',
    ],
    [
      "<disk><source file='/a/../b'/><target dev='vda'/></disk>",
      'disk/source/@file in line 6: "/a/../b" is not',
    ],
    [
      `<disk><source file='/${"a".repeat(4095)}'/><target dev='vda'/></disk>`,
      "disk/source/@file in line 6: ",
    ],
    [
      "<disk><source dev='/a'/><target dev='vda'/></disk>",
      "disk/source/@dev in line 6: svirt does not know it",
    ],
    ["<disk type='network'><target dev='vda'/></disk>", "disk/source in line 6: it is missing"],
    [
      "<disk type='network'><source protocol='sheepdog'/><target dev='vda'/></disk>",
      'disk/source/@protocol in line 6: "sheepdog": it is no longer supported by QEMU',
    ],
    [
      "<disk device='tape'><source file='/a'/><target dev='sda'/></disk>",
      'disk/@device in line 6: "tape" is not one of',
    ],
    [
      "<disk><driver type='dir'/><source file='/a'/><target dev='vda'/></disk>",
      'disk/driver/@type in line 6: "dir" is not one of "raw", "qcow2"',
    ],
    [
      "<disk><source file='/a'><encryption format='luks'/></source><target dev='vda'/><encryption format='luks'/></disk>",
      "disk/source/encryption in line 6: the disk already has one",
    ],
    [
      "<disk><source file='/a'/><target dev='xvda'/></disk>",
      "disk/target/@dev in line 6: its bus is for another hypervisor",
    ],
    [
      "<disk><source file='/a'/><target dev='vda'/><iotune/><throttlefilters/></disk>",
      "disk/throttlefilters in line 6: it cannot be combined with <iotune>",
    ],
    [
      "<disk><source file='/a'/><target dev='vda'/><iotune><total_bytes_sec>1</total_bytes_sec><read_bytes_sec>1</read_bytes_sec></iotune></disk>",
      "disk/iotune/total_bytes_sec in line 6: a total limit excludes a read or write limit",
    ],
    [
      "<disk><source file='/a'/><target dev='vda'/><iotune><read_iops_sec_max>1</read_iops_sec_max></iotune></disk>",
      "disk/iotune/read_iops_sec_max in line 6: there is no <read_iops_sec>",
    ],
    [
      "<disk type='network'><source protocol='rbd' name='a/b'><auth username='u'><secret type='ceph'/></auth></source><target dev='vda'/></disk>",
      "disk/source/auth/secret in line 6: it needs either a UUID or a usage",
    ],
    [
      "<disk><source file='/a'/><backingStore type='end'/><target dev='vda'/></disk>",
      'disk/backingStore/@type in line 6: "end" is not one of "file", "block"',
    ],
    [
      "<disk><source file='/a'/><backingStore><source file='/b'/></backingStore><target dev='vda'/></disk>",
      "disk/backingStore/source in line 6: svirt does not know it",
    ],
    [
      "<disk><source file='/a'/><target dev='vda'/></disk><disk><source file='/b'/><target dev='vda'/></disk>",
      "disk[2]/target/@dev in line 6: another disk already has this name",
    ],
    [
      "<disk device='cdrom'><target dev='sda'/><boot order='1'/></disk><interface type='user'><boot order='1'/></interface>",
      "interface/boot/@order in line 6: another device already has this place",
    ],
    [
      "<interface type='bridge'><source bridge='br0/1'/></interface>",
      'interface/source/@bridge in line 6: "br0/1" is not a network device',
    ],
    ["<interface type='vds'/>", 'interface/@type in line 6: "vds": it is for another hypervisor'],
    [
      "<interface type='user'><mac address='53:54:00:00:00:01'/></interface>",
      "interface/mac/@address in line 6: ",
    ],
    ["<console/><console/>", "console[2] in line 6: only the first console can be a serial port"],
    [
      "<serial type='null'/><console type='pty'/>",
      'console in line 6: it is the first <serial> under another name, and that one is of type "null"',
    ],
    ["<serial type='nmdm'/>", 'serial/@type in line 6: "nmdm": it is for another hypervisor'],
    ["<serial type='unix'/>", "serial/source in line 6: it is missing"],
    ["<channel type='pty'/>", "channel/target in line 6: it is missing"],
    ["<graphics type='rdp'/>", 'graphics/@type in line 6: "rdp": it is for another hypervisor'],
    [
      "<shmem name='a'><model type='ivshmem-plain'/><msi/></shmem>",
      "shmem/msi in line 6: an ivshmem-plain has none",
    ],
    [
      "<shmem name='a'><model type='ivshmem-plain'/><size unit='K'>12345</size></shmem>",
      "shmem/size in line 6: it must be a power of two, and at least 1 MiB",
    ],
    ["<vsock><cid auto='no'/></vsock>", "vsock/cid/@address in line 6: it is missing"],
    [
      "<filesystem><source socket='/a'/><target dir='a'/></filesystem>",
      "filesystem/source in line 6: it must have either dir or, for virtiofs, socket",
    ],
    [
      "<channel type='unix'><source mode='bind' path='/a'><reconnect enabled='no'/></source><target type='virtio'/></channel>",
      "channel/source/reconnect in line 6: only a connecting socket reconnects",
    ],
    [
      "<rng model='virtio'><backend model='egd' type='tcp'><source path='/a'/></backend></rng>",
      "rng/backend/source/@mode in line 6: it is missing",
    ],
    [
      "<audio id='1' type='none'><input><settings/></input></audio>",
      "audio/input/settings in line 6: it requires fixedSettings='yes'",
    ],
    [
      "<graphics type='vnc' passwd='a' connected='fail'/>",
      "graphics/@connected in line 6: VNC supports connected='keep' only",
    ],
    ["<graphics type='spice' connected='fail'/>", "graphics/@connected in line 6: it requires a password"],
    [
      "<graphics type='vnc' passwdValidTo='2026-01-01T00:00:00'/>",
      "graphics/@passwdValidTo in line 6: it requires a password",
    ],
    ["<hostdev mode='subsystem' type='pci'/>", "hostdev/source in line 6: it is missing"],
    [
      "<hostdev mode='capabilities' type='storage'><source><block>/dev/sda</block></source></hostdev>",
      'hostdev/@type in line 6: "storage": svirt passes no device nodes through to containers',
    ],
    [
      "<hostdev type='usb'><source><vendor id='0x1'/></source></hostdev>",
      "hostdev/source in line 6: a vendor and a product require each other",
    ],
    ["<hostdev type='usb'><source/></hostdev>", "hostdev/source in line 6: it names no device"],
    [
      "<smartcard mode='host-certificates'><certificate>a</certificate></smartcard>",
      "smartcard/certificate in line 6: host-certificates has 3 certificates, and there are 1",
    ],
    ["<teleporter/>", "teleporter in line 6: svirt does not know it"],
  ])("%s", (xml, message) => {
    expect(() => parseDomain(domainWith(xml))).toThrow(`Cannot read /domain/devices/${message}`);
  });

  test("boot order in <os> beside that of a device", () => {
    const xml = `${head}<os><type>hvm</type><boot dev='hd'/></os><devices><disk device='cdrom'><target dev='sda'/><boot order='1'/></disk></devices></domain>`;
    expect(() => parseDomain(bytesOf(xml))).toThrow(
      "Cannot read /domain/devices/disk/boot in line 1: it cannot be combined with <boot> in <os>",
    );
  });
});
