import { describe, expect, test } from "bun:test";
import { parseDomain } from "../../../src/domain/document.ts";
import { listResources } from "../../../src/domain/resources/resources.ts";
import { refuseUnimplemented } from "../../../src/domain/unimplemented/refuse.ts";
import { domainWith } from "../corpus.ts";

const MAC = "<mac address='52:54:00:00:00:01'/>";
const network = (type: string, inside: string): string =>
  `<interface type='${type}'>${MAC}${inside}</interface>`;
const pci = (driver: string, managed = "managed='yes'"): string =>
  `<hostdev type='pci' ${managed}>${driver}<source><address bus='6' slot='2' function='0'/></source></hostdev>`;
const refuse = (devices: string) => (): void => refuseUnimplemented(parseDomain(domainWith(devices)));

describe("refuseUnimplemented() refuses a start that would leave out", () => {
  test.each([
    [network("mcast", "<source address='230.0.0.1' port='5558'/>"), "interface[1]/@type"],
    [network("direct", "<source dev='eth0'/><mtu size='1400'/>"), "interface[1]/mtu"],
    [network("direct", "<source dev='eth0'/><target dev='x' managed='no'/>"), "interface[1]/target/@managed"],
    [network("ethernet", "<source><ip address='10.0.0.1'/></source>"), "interface[1]/source/ip"],
    [network("ethernet", "<script path='/etc/qemu-ifup'/>"), "interface[1]"],
    [network("ethernet", "<vlan><tag id='4'/></vlan>"), "interface[1]/vlan"],
    [network("ethernet", "<port isolated='yes'/>"), "interface[1]/port"],
    [network("bridge", "<source bridge='br0'/><virtualport type='midonet'/>"), "interface[1]/virtualport"],
    [network("direct", "<source dev='eth0'/><virtualport type='openvswitch'/>"), "interface[1]/virtualport"],
    [
      network(
        "bridge",
        "<source bridge='br0'/><virtualport type='openvswitch'/><bandwidth><inbound average='1'/></bandwidth>",
      ),
      "interface[1]/bandwidth",
    ],
    [
      network("bridge", "<source bridge='br0'/><target dev='t' managed='no'/>"),
      "interface[1]/target/@managed",
    ],
    [network("user", "<target dev='t'/>"), "interface[1]/target"],
    [network("server", "<source port='5558'/>"), "interface[1]/@type"],
    [network("user", "<backend type='passt'/>"), "interface[1]/backend"],
    [network("user", "<bandwidth><inbound average='1'/></bandwidth>"), "interface[1]/bandwidth"],
    [network("user", "<vlan><tag id='4'/></vlan>"), "interface[1]/vlan"],
    [network("user", "<rom file='/srv/boot.rom'/>"), "interface[1]"],
    [
      "<hostdev type='pci'><source startupPolicy='optional'><address domain='0' bus='6' slot='2' function='0'/></source></hostdev>",
      "hostdev[1]/source/@startupPolicy",
    ],
    [pci("<driver model='nvidia'/>"), "hostdev[1]/driver/@model"],
    [pci("<driver name='vfio' model='e1000e'/>"), "hostdev[1]/driver/@model"],
    ["<redirdev bus='usb' type='spicevmc'/>", "redirdev[1]"],
    ["<smartcard mode='host'/>", "smartcard[1]"],
    ["<lease><key>k</key><target path='/srv/lease'/></lease>", "lease[1]"],
  ])("%s", (devices, place) => {
    expect(refuse(devices)).toThrow(`Cannot start the guest: /domain/devices/${place}: svirt does not `);
  });

  test.each([
    network(
      "bridge",
      "<source bridge='br0'/><vlan><tag id='4'/></vlan><port isolated='yes'/><target dev='t'/>",
    ),
    network("bridge", "<source bridge='br0'/><vlan><tag id='4'/></vlan><virtualport type='openvswitch'/>"),
    network("network", "<source network='lan'/><virtualport><parameters profileid='a'/></virtualport>"),
    network("ethernet", "<target dev='t' managed='no'/>"),
    network("user", "<model type='virtio'/><driver rx_queue_size='512'/><link state='down'/>"),
    "<hub type='usb'/><controller type='usb' model='qemu-xhci' ports='15'/>",
    "<controller type='scsi' model='virtio-scsi'><driver ioeventfd='on'/></controller>",
    pci("<driver model='vfio-pci'/>"),
    pci("<driver name='vfio'/>"),
    pci("<driver model='vfio-pci-igb'/>", "managed='no'"),
    pci("<driver model='vfio-pci-igb'/>"),
    pci("<driver name='vfio' model='mlx5_vfio_pci'/>"),
    pci("<driver model='e1000e'/>", ""),
  ])("nothing of %s", (devices) => {
    expect(refuse(devices)).not.toThrow();
  });
});

test("listResources() names the nodes of devices that are passed through", () => {
  const devices = `<hostdev type='pci'><source><address bus='6' slot='0x12' function='1'/></source></hostdev>
    <hostdev type='usb'><source><address bus='14' device='6'/></source></hostdev>
    <hostdev type='scsi_host'><source protocol='vhost' wwpn='naa.5123456789abcde0'/></hostdev>
    <hostdev type='scsi'><source><adapter name='scsi_host2'/><address bus='1' target='3' unit='4'/></source></hostdev>
    <hostdev type='mdev' model='vfio-pci'><source><address uuid='53764d0e-85a0-42b4-af5c-2046b460b1dc'/></source></hostdev>
    ${network("vdpa", "<source dev='/dev/vhost-vdpa-0'/>")}`;
  const paths = listResources(parseDomain(domainWith(devices))).map(({ path }) => path);
  expect(paths.toSorted()).toEqual([
    "/dev/bus/usb/014/006",
    "/dev/vhost-scsi",
    "/dev/vhost-vdpa-0",
    "/sys/bus/mdev/devices/53764d0e-85a0-42b4-af5c-2046b460b1dc",
    "/sys/bus/pci/devices/0000:06:12.1",
    "/sys/bus/scsi/devices/2:1:3:4/scsi_generic",
  ]);
});
