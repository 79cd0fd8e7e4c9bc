import { describe, expect, test } from "bun:test";
import { parseDomain } from "../../../../src/domain/document.ts";
import { refuseUnimplemented } from "../../../../src/domain/unimplemented/refuse.ts";
import { formatArgv } from "../../../../src/qemu/domain-argv.ts";
import { domainWith } from "../../../domain/corpus.ts";

const words = (devices: string): readonly string[] => formatArgv(parseDomain(domainWith(devices)));
const disk = (inside: string, head = "type='file'"): string =>
  `<disk ${head}>${inside.includes("<source") ? "" : "<source file='/a'/>"}${inside}</disk>`;
const onBus = (bus: string, inside: string): string => disk(`<target dev='sda' bus='${bus}'/>${inside}`);
const network = (source: string): string => disk(`${source}<target dev='vda'/>`, "type='network'");

describe("formatArgv() of a network image", () => {
  // Keys of qapi/block-core.json, defaults of virStorageSourceNetworkDefaultPort().
  test.each([
    [
      "<source protocol='nbd'><host name='h'/></source>",
      '{"driver":"nbd","server":{"type":"inet","host":"h","port":"10809"},',
    ],
    [
      "<source protocol='iscsi' name='iqn.a:b'><host name='::1'/></source>",
      '{"driver":"iscsi","portal":"[::1]:3260","target":"iqn.a:b","lun":0,"transport":"tcp",',
    ],
    [
      "<source protocol='iscsi' name='iqn.a/7'><host name='h'/><initiator><iqn name='iqn.me'/></initiator></source>",
      '{"driver":"iscsi","portal":"h:3260","target":"iqn.a","lun":7,"transport":"tcp","initiator-name":"iqn.me",',
    ],
    [
      "<source protocol='https' name='a/b.iso' query='x=y'><host name='h'/><ssl verify='no'/></source>",
      '{"driver":"https","url":"https://h:443/a/b.iso?x=y","sslverify":false,',
    ],
    [
      "<source protocol='ssh' name='/a'><host name='h'/></source>",
      '{"driver":"ssh","path":"/a","server":{"host":"h","port":"22"},',
    ],
    [
      "<source protocol='ssh' name='/a'><host name='h'/><knownHosts path='/k'/></source>",
      '{"driver":"nbd","server":{"type":"unix","path":"/var/lib/libvirt/qemu/domain--1-guest/nbdkit-libvirt-1-storage.socket"},',
    ],
    [
      "<source protocol='nfs' name='/e/a'><host name='h'/><identity user='+7' group='8'/></source>",
      '{"driver":"nfs","server":{"host":"h","type":"inet"},"path":"/e/a","user":7,"group":8,',
    ],
  ])("%s", (source, expected) => {
    const [node] = words(network(source)).filter((word) => word.includes('"libvirt-1-storage"'));
    expect(node).toStartWith(expected);
  });

  test.each([
    ["<source protocol='nbd' tls='yes'><host name='h'/></source>", "source/@tls"],
    ["<source protocol='nbd'/>", "source/host"],
    ["<source protocol='rbd' name='image'/>", "source/@name"],
    ["<source protocol='rbd' name='a/b/c'/>", "source/@name"],
    ["<source protocol='rbd' name='a/b'><host name='h'/></source>", "source/host/@port"],
    ["<source protocol='iscsi' name='iqn.a/x'><host name='h'/></source>", "source/@name"],
    ["<source protocol='http' name='a b'><host name='h'/></source>", "source/@name"],
    ["<source protocol='nfs' name='/a'><host name='h'/></source>", "source/identity/@user"],
    [
      "<source protocol='http' name='a'><host name='h'/><cookies><cookie name='c'>v</cookie></cookies></source>",
      "source/cookies",
    ],
    [
      "<source protocol='rbd' name='a/b'><auth username='u'><secret type='ceph' usage='s'/></auth></source>",
      "source/auth/secret",
    ],
  ])("refuses %s", (source, place) => {
    expect(() => words(network(source))).toThrow(
      `Cannot translate /domain/devices/disk[1]/${place} for QEMU: `,
    );
  });
});

// qemuBuildDiskDeviceProps() of libvirt: the identification page has the serial number, or else the drive's
// name.
test.each([
  ["<serial>a b</serial>", '"device_id":"a b","drive":'],
  ["", '"device_id":"drive-scsi0-0-0","drive":'],
])("formatArgv() gives a SCSI disk with %s an identity", (inside, keys) => {
  expect(words(onBus("scsi", inside)).find((word) => word.includes('"scsi-hd"'))).toContain(keys);
});

describe("formatArgv() refuses a disk that QEMU could not give as the XML says", () => {
  // virDomainDiskDefValidate() and qemuValidateDomainDeviceDefDisk() of libvirt
  test.each([
    [disk("<target dev='sda' bus='scsi'/>", "device='lun'"), "@device"],
    [disk("<source dev='/d'/><target dev='vda' bus='virtio'/>", "type='block' device='lun'"), "@device"],
    [onBus("sata", "<vendor>V</vendor>"), "vendor"],
    [onBus("scsi", "<product>12345678901234567</product>"), "product"],
    [onBus("usb", "<product>P</product>"), "product"],
    [onBus("usb", "<wwn>5000c50015ea71ad</wwn>"), "wwn"],
    [onBus("sata", "<driver queues='2'/>"), "driver"],
    [onBus("scsi", "<driver packed='on'/>"), "driver"],
    [disk("<target dev='vda' removable='on'/>"), "target/@removable"],
    [disk("<target dev='vda' rotation_rate='7200'/>"), "target/@rotation_rate"],
    [disk("<target dev='sda' bus='usb'/>", "model='virtio-transitional'"), "@model"],
    [disk("<driver copy_on_read='on'/><target dev='vda'/><readonly/>"), "driver/@copy_on_read"],
    [
      disk(
        "<driver type='raw'><metadata_cache><max_size>9</max_size></metadata_cache></driver><target dev='vda'/>",
      ),
      "driver/metadata_cache",
    ],
    [disk("<driver type='raw' discard_no_unref='on'/><target dev='vda'/>"), "driver/@discard_no_unref"],
    [
      disk("<target dev='vda'/><throttlefilters><throttlefilter group='none'/></throttlefilters>"),
      "throttlefilters",
    ],
    [disk("<target dev='vda'/><encryption format='luks'/>"), "encryption/secret"],
    [
      disk(
        "<driver type='qed'/><target dev='vda'/><encryption format='luks'><secret type='passphrase' usage='u'/></encryption>",
      ),
      "encryption",
    ],
    [
      disk(
        "<target dev='vda'/><transient/><encryption format='luks'><secret type='passphrase' usage='u'/></encryption>",
      ),
      "transient",
    ],
    [disk("<driver type='fat'/><source dir='/d'/><target dev='vda'/><readonly/>", "type='dir'"), "source"],
    [disk("<source pool='p' volume='v'/><target dev='vda'/>", "type='volume'"), "source"],
  ])("%s", (xml, place) => {
    expect(() => words(xml)).toThrow(`Cannot translate /domain/devices/disk[1]/${place} for QEMU: `);
  });
});

describe("refuseUnimplemented() of a disk names what a start does not do", () => {
  test.each([
    [
      network("<source protocol='gluster' name='a/b'><host transport='unix' socket='/s'/></source>"),
      "source/host/@transport",
    ],
    [network("<source protocol='ssh' name='/a'><host name='h'/></source>"), "source/@protocol"],
    [disk("<driver type='vmdk'/><target dev='vda'/>"), "driver/@type"],
    [disk("<target dev='sda' bus='sd'/>"), "target/@bus"],
    [
      disk("<source file='/a'><reservations managed='yes'/></source><target dev='vda'/>"),
      "source/reservations",
    ],
    [
      disk(
        "<source file='/a'><dataStore type='network'><format type='raw'/><source protocol='nbd'><host name='h'/></source></dataStore></source><target dev='vda'/>",
      ),
      "source/dataStore",
    ],
    [
      network(
        "<source protocol='nbd'><host name='h'/><dataStore type='file'><format type='raw'/><source file='/d'/></dataStore></source>",
      ),
      "source/dataStore",
    ],
    [
      disk(
        "<source file='/a'/><driver type='qcow2'/><backingStore type='network'><format type='raw'/><source protocol='nbd'><host name='h'/></source></backingStore><target dev='vda'/>",
      ),
      "backingStore/@type",
    ],
  ])("%s", (xml, place) => {
    const refuse = (): void => refuseUnimplemented(parseDomain(domainWith(xml)));
    expect(refuse).toThrow(`Cannot start the guest: /domain/devices/disk[1]/${place}: svirt does not `);
  });

  test.each([
    disk("<target dev='vda'/>"),
    disk("<source file='/a' startupPolicy='optional'/><target dev='vda'/>"),
    disk("<target dev='vda'/><iotune><total_iops_sec>9</total_iops_sec></iotune>"),
    network("<source protocol='nbd'><host name='h'/></source>"),
  ])("and nothing of what it does: %s", (xml) => {
    expect(() => refuseUnimplemented(parseDomain(domainWith(xml)))).not.toThrow();
  });
});
