import { describe, expect, test } from "bun:test";
import { parseDomain } from "../../../src/domain/document.ts";
import { formatArgv } from "../../../src/qemu/domain-argv.ts";
import { domainWith } from "../../domain/corpus.ts";

const translate = (devices: string, more = ""): readonly string[] =>
  formatArgv(parseDomain(domainWith(devices, more)));
const SHARED = "<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>";
const VIRTIOFS = "<filesystem><driver type='virtiofs'/><source dir='/a'/><target dir='a'/></filesystem>";

// libvirt's qemu_validate.c refuses each of them.
describe("formatArgv() refuses", () => {
  test.each([
    ["<channel type='spicevmc'><target type='virtio'/></channel>", "channel[1]/@type"],
    [
      "<channel type='spicevmc'><target type='virtio' name='a'/></channel><graphics type='spice'/>",
      "channel[1]/target/@name",
    ],
    ["<iommu model='intel'/>", "iommu/@model"],
    ["<panic/><panic/>", "panic[2]"],
    ["<input type='tablet' bus='ps2'/>", "input[1]/@bus"],
    ["<input type='mouse' bus='usb'><driver ats='on'/></input>", "input[1]/driver"],
    ["<graphics type='sdl'/><graphics type='egl-headless'/>", "graphics[2]"],
    ["<graphics type='vnc'/><graphics type='vnc'/>", "graphics[2]"],
    ["<graphics type='vnc'><audio id='7'/></graphics>", "graphics[1]/audio"],
    ["<graphics type='spice' port='5900' defaultMode='secure'/>", "graphics[1]/@defaultMode"],
    ["<graphics type='spice' tlsPort='5900' defaultMode='insecure'/>", "graphics[1]/@defaultMode"],
    [
      "<graphics type='spice' port='5900'><channel name='main' mode='any'/><channel name='inputs' mode='secure'/></graphics>",
      "graphics[1]/channel[2]/@mode",
    ],
    [
      "<graphics type='spice'><listen type='none'/><channel name='main' mode='secure'/></graphics>",
      "graphics[1]/channel[1]/@mode",
    ],
    ["<sound model='ac97'><audio id='7'/></sound>", "sound[1]/audio"],
    ["<sound model='ac97'/><graphics type='sdl'/>", "sound[1]/audio"],
    ["<video><model type='vga' blob='on'/></video>", "video[1]/model/@blob"],
    ["<video><model type='virtio' blob='on'/></video>", "video[1]/model/@blob"],
    [
      "<video><model type='virtio'><acceleration rendernode='/dev/dri/a'/></model></video>",
      "video[1]/model/acceleration/@rendernode",
    ],
    ["<filesystem fmode='644'><source dir='/a'/><target dir='a'/></filesystem>", "filesystem[1]/@fmode"],
    [VIRTIOFS, "filesystem[1]"],
    ["<audio id='1' type='none'/><audio id='1' type='none'/>", "audio[2]/@id"],
    ["<video><model type='vga' vgamem='16384'/></video>", "video[1]/model/@vgamem"],
    [
      "<video><model type='qxl' primary='yes'/></video><video><model type='qxl' primary='yes'/></video>",
      "video[2]/model/@primary",
    ],
    ["<graphics type='vnc'><listen type='network' network='default'/></graphics>", "graphics[1]/listen"],
    ["<tpm><backend type='emulator'/></tpm>", "tpm[1]/backend"],
    ["<vsock><cid auto='yes'/></vsock>", "vsock/cid"],
    ["<graphics type='egl-headless'/>", "graphics[1]/gl"],
    [
      "<serial type='tcp'><source mode='connect' host='a' service='1' tls='yes'/></serial>",
      "serial[1]/source/@tls",
    ],
    ["<serial type='udp'><source mode='connect' service='1'/></serial>", "serial[1]/@type"],
  ])("%s", (devices, place) => {
    expect(() => translate(devices)).toThrow(`Cannot translate /domain/devices/${place} for QEMU: `);
  });

  test("interrupt remapping with KVM's I/O APIC", () => {
    const q35 = new TextDecoder()
      .decode(
        domainWith(
          "<iommu model='intel'><driver intremap='on'/></iommu>",
          "<features><ioapic driver='kvm'/></features>",
        ),
      )
      .replace("<type>", "<type machine='q35'>");
    expect(() => formatArgv(parseDomain(new TextEncoder().encode(q35)))).toThrow("QEMU's I/O APIC");
  });

  test("virtiofs only where its program cannot see the memory", () => {
    expect(translate(VIRTIOFS, SHARED)).toContain("-chardev");
  });
});

// qemuDBusGetAddress() of libvirt
test("formatArgv() shows a guest on the bus that the reference starts for it", () => {
  expect(translate("<graphics type='dbus'/>")).toContain(
    "dbus,addr=unix:path=/run/libvirt/qemu/dbus/-1-guest-dbus.sock",
  );
});

// qemuBuildGraphicsVNCCommandLine() and qemuBuildChardevStr() of libvirt
test.each([
  [
    "<graphics type='vnc' port='5903' autoport='no' passwd='abc' sharePolicy='ignore' powerControl='yes'/>",
    "127.0.0.1:3,share=ignore,password=on,power-control=on,audiodev=audio1",
  ],
  ["<graphics type='spice' port='5900' passwd='abc'/>", "port=5900,addr=127.0.0.1,seamless-migration=on"],
  ["<serial type='stdio'/>", "stdio,id=charserial0"],
])("formatArgv() gives no word of a password, and a terminal by its name: %s", (device, word) => {
  expect(translate(device)).toContain(word);
});

// qemuProcessSPICEAllocatePorts() and qemuBuildGraphicsSPICECommandLine() of libvirt
describe("formatArgv() gives a SPICE display ports, certificates and channels", () => {
  const CERTIFICATES = "x509-dir=/etc/pki/libvirt-spice";
  test.each([
    ["autoport='yes'", "", "port=5901,addr=127.0.0.1,"],
    [
      "autoport='yes' defaultMode='secure'",
      "",
      `tls-port=5902,addr=127.0.0.1,${CERTIFICATES},tls-channel=default,`,
    ],
    [
      "autoport='yes' defaultMode='secure'",
      "<channel name='inputs' mode='insecure'/>",
      `port=5901,tls-port=5902,addr=127.0.0.1,${CERTIFICATES},tls-channel=default,plaintext-channel=inputs,`,
    ],
    [
      "autoport='yes'",
      "<channel name='main' mode='secure'/>",
      `port=5901,tls-port=5902,addr=127.0.0.1,${CERTIFICATES},tls-channel=main,`,
    ],
    ["tlsPort='5904'", "", `tls-port=5904,addr=127.0.0.1,${CERTIFICATES},`],
    ["port='5903' tlsPort='-1'", "", `port=5903,tls-port=5902,addr=127.0.0.1,${CERTIFICATES},`],
    [
      "port='5903' tlsPort='5904'",
      "<channel name='main' mode='insecure'/><channel name='main' mode='any'/>",
      `port=5903,tls-port=5904,addr=127.0.0.1,${CERTIFICATES},`,
    ],
  ])("%s %s", (attributes, channels, words) => {
    expect(translate(`<graphics type='spice' ${attributes}>${channels}</graphics>`)).toContain(
      `${words}seamless-migration=on`,
    );
  });
});

test("formatArgv() gives each file of a guest a set of descriptors of its own", () => {
  const words = translate(
    `<serial type='file'><source path='/a'/><log file='/b'/></serial>
     <tpm><backend type='passthrough'/></tpm>`,
  );
  const sets = words.flatMap((word) => /^set=(\d+),/.exec(word)?.[1] ?? []);
  expect(sets).toEqual(["0", "1", "2", "3"]);
  expect(words).toContain("passthrough,id=tpm-tpm0,path=/dev/fdset/2,cancel-path=/dev/fdset/3");
});

// Order of qemuDomainAssignDevicePCISlots(), and the fixed addresses of the boards.
describe("formatArgv() places", () => {
  test("ICH9's sound where it is on a real q35", () => {
    const q35 = new TextDecoder()
      .decode(domainWith("<sound model='ich9'/>"))
      .replace("<type>", "<type machine='q35'>");
    const words = formatArgv(parseDomain(new TextEncoder().encode(q35)));
    expect(words.find((word) => word.includes("ich9-intel-hda"))).toContain('"addr":"0x1b"');
  });

  test("a channel on a controller that is added, where it names none", () => {
    const words = translate(
      "<controller type='virtio-serial' index='1'/><channel type='pty'><target type='virtio'/></channel>",
    );
    expect(words.find((word) => word.includes("virtserialport"))).toContain('"bus":"virtio-serial0.0"');
  });
});
