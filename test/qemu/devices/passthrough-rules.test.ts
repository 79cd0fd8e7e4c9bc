import { describe, expect, test } from "bun:test";
import { parseDomain } from "../../../src/domain/document.ts";
import { formatArgv } from "../../../src/qemu/domain-argv.ts";
import { domainWith } from "../../domain/corpus.ts";

const words = (devices: string): readonly string[] => formatArgv(parseDomain(domainWith(devices)));
const MAC = "<mac address='52:54:00:00:00:01'/>";
const network = (type: string, inside: string): string =>
  `<interface type='${type}'>${MAC}${inside}</interface>`;
const pci = (inside: string, head = ""): string =>
  `<hostdev type='pci' ${head}><source><address bus='6' slot='0x12' function='1'/></source>${inside}</hostdev>`;

describe("formatArgv() refuses an interface that QEMU could not give as the XML says", () => {
  // virDomainNetDefValidate() and qemuValidateDomainDeviceDefNetwork() of libvirt
  test.each([
    [network("user", "<script path='/ifup'/>"), "script"],
    [network("user", "<portForward proto='tcp'><range start='22'/></portForward>"), "portForward"],
    [network("user", "<source dev='eth0'/>"), "source"],
    [network("user", "<backend logFile='/log'/>"), "backend/@logFile"],
    [network("user", "<backend tap='/dev/tap'/>"), "backend/@tap"],
    [network("user", "<mtu size='1500'/>"), "mtu"],
    [network("user", "<tune><sndbuf>1</sndbuf></tune>"), "tune/sndbuf"],
    [network("user", "<teaming type='persistent'/>"), "teaming"],
    [network("user", "<ip address='10.0.2.0'/><ip address='10.0.3.0'/>"), "ip"],
    [network("user", "<model type='virtio'/><driver rx_queue_size='500'/>"), "driver/@rx_queue_size"],
    [network("bridge", "<source bridge='br0'/><backend type='passt'/>"), "backend/@type"],
    [network("bridge", "<source bridge='br0'/><driver name='vhost'/>"), "driver/@name"],
    [network("bridge", "<source bridge='br0'/><driver queues='2'/>"), "driver/@queues"],
    [network("vhostuser", "<source type='unix' path='/s' mode='client'/><model type='virtio'/>"), "@type"],
    [network("vdpa", "<source dev='/dev/v'/><model type='e1000'/>"), "model"],
    [
      network("network", "<source network='n'/><teaming type='transient' persistent='ua-a'/>"),
      "source/@network",
    ],
  ])("%s", (xml, place) => {
    expect(() => words(xml)).toThrow(`Cannot translate /domain/devices/interface[1]/${place} for QEMU: `);
  });
});

describe("formatArgv() refuses a device of the host that QEMU could not give as the XML says", () => {
  // qemuValidateDomainDeviceDefHostdev() of libvirt
  test.each([
    [pci("", "display='on'"), "hostdev[1]/@display"],
    [pci("", "ramfb='on'"), "hostdev[1]/@ramfb"],
    [pci("<teaming type='persistent'/>"), "hostdev[1]/teaming"],
    [pci("<address type='usb' bus='0' port='1'/>"), "hostdev[1]/address/@type"],
    [pci("") + pci(""), "hostdev[2]/source"],
    [
      "<hostdev type='usb'><source><vendor id='1'/><product id='2'/></source></hostdev>",
      "hostdev[1]/source/address",
    ],
    [
      "<hostdev type='scsi'><source><adapter name='scsi_host0'/><address bus='0' target='0' unit='0'/></source></hostdev>",
      "hostdev[1]/source/adapter",
    ],
  ])("%s", (xml, place) => {
    expect(() => words(xml)).toThrow(`Cannot translate /domain/devices/${place} for QEMU: `);
  });
});

test("formatArgv() gives SCSI devices of the host the places that disks have left", () => {
  const iscsi = (name: string): string =>
    `<hostdev type='scsi'><source protocol='iscsi' name='${name}'><host name='h'/></source></hostdev>`;
  const disks = "<disk><source file='/a'/><target dev='sda' bus='scsi'/></disk>";
  const many = [..."abcdefg"].map((letter) => iscsi(`iqn.${letter}`)).join("");
  const places = words(disks + many).flatMap(
    (word) =>
      /"driver":"scsi-generic".*"bus":"(scsi\d\.0)","scsi-id":(\d)/.exec(word)?.slice(1).join(" ") ?? [],
  );
  const first = [1, 2, 3, 4, 5, 6].map((unit) => `scsi0.0 ${unit}`);
  expect(places).toEqual([...first, "scsi1.0 0"]);
});

describe("formatArgv() of devices on USB", () => {
  const device = (driver: string, xml: string): unknown => {
    const found = words(xml).find((word) => word.startsWith(`{"driver":"${driver}"`));
    return found === undefined ? undefined : JSON.parse(found);
  };

  test("gives a filter for redirected devices in QEMU's words", () => {
    const xml = `<redirdev bus='usb' type='null'/><redirfilter>
      <usbdev class='0x08' vendor='0x1234' product='0xbeef' version='2.56' allow='yes'/><usbdev allow='no'/></redirfilter>`;
    // usbredirfilter.h: class:vendor:product:version:allow, with -1 for any value
    expect(device("usb-redir", xml)).toMatchObject({ filter: "0x08:0x1234:0xBEEF:0x0256:1|-1:-1:-1:-1:0" });
  });

  test.each([
    ["off", { "guest-reset": false }],
    ["uninitialized", { "guest-reset": true, "guest-resets-all": false }],
    ["on", { "guest-reset": true, "guest-resets-all": true }],
  ])("says how a reset by the guest is taken: %s", (guestReset, keys) => {
    const source = `<source guestReset='${guestReset}'><address bus='1' device='2'/></source>`;
    expect(device("usb-host", `<hostdev type='usb'>${source}</hostdev>`)).toMatchObject(keys);
  });

  test("gives rom=no as an empty file", () => {
    expect(device("rtl8139", network("user", "<rom enabled='no'/>"))).toMatchObject({ romfile: "" });
  });
});
