import { describe, expect, test } from "bun:test";
import { formatArgv } from "../../../src/qemu/domain-argv.ts";
import { domainOf, expectRefusal, type Row } from "../refused.ts";

// qemu_validate.c and domain_validate.c of libvirt refuse each of them.
describe("formatArgv() and storedDomain() refuse a device or a feature", () => {
  const rows: readonly Row[] = [
    ["", "features/tcg", "<features><tcg><tb-cache unit='MiB'>8</tb-cache></tcg></features>"],
    ["<input type='mouse' bus='ps2'/>", "features/ps2", "<features><ps2 state='off'/></features>"],
    ["", "features/vmport", "<features><ps2 state='off'/><vmport state='on'/></features>"],
    ["<tpm model='tpm-crb'><backend type='emulator' version='1.2'/></tpm>", "tpm[1]/@model"],
    [
      "<tpm model='tpm-tis'><backend type='emulator' version='1.2'><active_pcr_banks><sha256/></active_pcr_banks></backend></tpm>",
      "tpm[1]/backend/active_pcr_banks",
    ],
    [
      "<interface type='user'><mac address='52:54:00:11:22:33'/><filterref filter='clean-traffic'/></interface>",
      "interface[1]/filterref",
    ],
    [
      "<interface type='direct'><mac address='52:54:00:11:22:33'/><source dev='eth0'/><filterref filter='clean-traffic'/></interface>",
      "interface[1]/filterref",
    ],
    [
      "<interface type='bridge'><mac address='52:54:00:11:22:33'/><source bridge='br0'/><virtualport type='openvswitch'/><filterref filter='clean-traffic'/></interface>",
      "interface[1]/filterref",
    ],
    [
      "<interface type='direct'><mac address='52:54:00:11:22:33'/><source dev='eth0'/><backend tap='/dev/net/tun'/></interface>",
      "interface[1]/backend/@tap",
    ],
    [
      "<interface type='user'><mac address='52:54:00:11:22:33'/><model type='virtio'/><driver queues='1'/></interface>",
      "interface[1]/driver/@queues",
    ],
    [
      "<interface type='direct'><mac address='52:54:00:11:22:33'/><source dev='eth0'/><mtu size='1500'/></interface>",
      "interface[1]/mtu",
    ],
    [
      "<interface type='vdpa'><mac address='52:54:00:11:22:33'/><source dev='/dev/vhost-vdpa-0'/><model type='virtio-transitional'/></interface>",
      "interface[1]/model",
    ],
    [
      "<interface type='bridge'><mac address='52:54:00:11:22:33'/><source bridge='br0'/><bandwidth><inbound average='1' floor='1'/></bandwidth></interface>",
      "interface[1]/bandwidth/inbound/@floor",
    ],
    [
      "<graphics type='vnc'/><video><model type='vga'/></video><video><model type='bochs'/></video>",
      "video[2]",
    ],
    ["<watchdog model='itco'/><watchdog model='itco'/>", "watchdog[2]", "", "q35"],
    [
      "<interface type='user'><mac address='52:54:00:11:22:33'/><model type='usb-net'/><rom bar='on'/></interface>",
      "interface[1]/rom",
    ],
    [
      "<hostdev mode='subsystem' type='scsi'><source protocol='iscsi' name='iqn.a/1'><host name='h'/></source><address type='drive' bus='1'/></hostdev>",
      "hostdev[1]/address",
    ],
    [
      "<controller type='scsi' model='lsilogic'/><hostdev mode='subsystem' type='scsi'><source protocol='iscsi' name='iqn.a/1'><host name='h'/></source><address type='drive' target='1'/></hostdev>",
      "hostdev[1]/address",
    ],
    ["<audio id='1' type='none'/><graphics type='dbus'><audio id='1'/></graphics>", "graphics[1]/audio"],
    // virDomainNetIPParseXML() of libvirt: "Invalid address"
    [
      "<interface type='user'><mac address='52:54:00:11:22:33'/><ip address='10.0.2.0' family='ipv6'/></interface>",
      "interface[1]/ip/@family",
    ],
    [
      "<interface type='user'><mac address='52:54:00:11:22:33'/><ip address='fd00::' family='ipv4'/></interface>",
      "interface[1]/ip/@family",
    ],
    // QEMU: "Bus 'virtio-serial0.1' not found"
    [
      "<channel type='pty'><target type='virtio' name='a'/><address type='virtio-serial' bus='1' port='5'/></channel>",
      "channel[1]/address/@bus",
    ],
    [
      "<console type='pty'><target type='virtio'/><address type='virtio-serial' bus='1' port='5'/></console>",
      "console[1]/address/@bus",
    ],
    ["<watchdog model='ib700'/><watchdog model='ib700'/>", "watchdog[2]"],
    ["<watchdog model='ib700'/>", "watchdog[1]/@model", "", "q35"],
    ["<watchdog model='itco'/>", "watchdog[1]/@model"],
    ["<watchdog model='itco'><address type='pci' slot='5'/></watchdog>", "watchdog[1]/address", "", "q35"],
    ["<watchdog model='ib700'><address type='pci' slot='5'/></watchdog>", "watchdog[1]/address"],
    [
      "<interface type='user'><mac address='52:54:00:11:22:33'/><ip address='10.0.0.1' prefix='28'/></interface>",
      "interface[1]/ip/@prefix",
    ],
    [
      "<interface type='user'><mac address='52:54:00:11:22:33'/><ip address='10.0.0.1' prefix='3'/></interface>",
      "interface[1]/ip/@prefix",
    ],
    [
      "<interface type='user'><mac address='52:54:00:11:22:33'/><ip address='fec0::1' family='ipv6' prefix='63'/></interface>",
      "interface[1]/ip/@prefix",
    ],
    [
      "<interface type='user'><mac address='52:54:00:11:22:33'/><coalesce><rx><frames max='3'/></rx></coalesce></interface>",
      "interface[1]/coalesce",
    ],
    [
      "<interface type='bridge'><mac address='52:54:00:11:22:33'/><source bridge='br0'/><target dev='x' managed='no'/></interface>",
      "interface[1]/target/@managed",
    ],
    [
      "<interface type='user'><mac address='52:54:00:11:22:33'/><port isolated='yes'/></interface>",
      "interface[1]/port/@isolated",
    ],
    [
      "<interface type='direct'><mac address='52:54:00:11:22:33'/><source dev='eth0' mode='bridge'/><port isolated='yes'/></interface>",
      "interface[1]/port/@isolated",
    ],
    [
      "<interface type='bridge'><mac address='52:54:00:11:22:33'/><source bridge='br0'/><virtualport type='openvswitch'/><port isolated='yes'/></interface>",
      "interface[1]/port/@isolated",
    ],
    [
      "<interface type='user'><mac address='52:54:00:11:22:33'/><model type='e1000'/><driver iommu='on'/></interface>",
      "interface[1]/driver",
    ],
    [
      "<interface type='ethernet'><mac address='52:54:00:11:22:33'/><vlan><tag id='42'/></vlan></interface>",
      "interface[1]/vlan",
    ],
    [
      "<serial type='pty'><target type='usb-serial'/><address type='isa' iobase='0x3f8'/></serial>",
      "serial[1]/address/@type",
    ],
    [
      "<serial type='pty'><target type='isa-serial'><model name='pci-serial'/></target></serial>",
      "serial[1]/target/model",
    ],
    [
      "<serial type='pty'><target port='0'/></serial><serial type='pty'><target port='0'/></serial>",
      "serial[2]/target/@port",
    ],
    ["<serial type='pty'/>".repeat(5), "serial[5]"], // virDomainChrIsaSerialDefPostParse()
    [
      "<controller type='virtio-serial' index='0' ports='4'/><channel type='pty'><target type='virtio' name='a'/><address type='virtio-serial' controller='0' bus='0' port='5'/></channel>",
      "channel[1]/address/@port",
    ],
    [
      "<smartcard mode='host'><address type='ccid' controller='1' slot='0'/></smartcard>",
      "smartcard[1]/address",
    ],
    [
      "<smartcard mode='host'><address type='ccid' controller='0' slot='1'/></smartcard>",
      "smartcard[1]/address",
    ],
    ["<redirdev bus='usb' type='spicevmc'/>", "redirdev[1]/@type"],
    [
      "<hostdev mode='subsystem' type='mdev' model='vfio-pci'><source><address uuid='53764d0e-85a0-42b4-af5c-2046b460b1dc'/></source><boot order='1'/></hostdev>",
      "hostdev[1]/boot",
    ],
    [
      "<hostdev mode='subsystem' type='scsi_host'><source protocol='vhost' wwpn='naa.5123456789abcde0'/><boot order='1'/></hostdev>",
      "hostdev[1]/boot",
    ],
    [
      "<hostdev mode='subsystem' type='usb'><source><address bus='14' device='6'/></source><address type='pci' slot='5'/></hostdev>",
      "hostdev[1]/address/@type",
    ],
    ["<video><model type='vga' heads='2'/></video>", "video[1]/model/@heads"],
    ["<video><model type='ramfb'/><address type='pci' slot='2'/></video>", "video[1]/address"],
    [
      "<controller type='scsi' index='0' model='lsilogic'/><controller type='scsi' index='0' model='lsilogic'/>",
      "controller[2]/@index",
    ],
    [
      "<filesystem type='mount' accessmode='mapped'><driver type='handle'/><source dir='/a'/><target dir='b'/></filesystem>",
      "filesystem[1]/@accessmode",
    ],
    ["<audio id='1' type='spice'/>", "audio[1]/@type"],
    ["<input type='mouse' bus='usb' model='virtio'/>", "input[1]/@model"],
    ["<iommu model='virtio'/>", "iommu/@model", "", "q35"],
  ];
  for (const row of rows) test(`${row[1]} of ${row[0]}`, () => expectRefusal(row));
});

describe("formatArgv() takes", () => {
  const rows: readonly Row[] = [
    ["<disk><driver type='qcow2'/><source file='/a'/><target dev='vda'/><shareable/><readonly/></disk>", ""],
    ["<disk><source file='/a'/><target dev='sda' bus='scsi' removable='on'/></disk>", ""],
    ["<panic model='isa'/><panic model='hyperv'/>", ""],
    ["<watchdog model='i6300esb'/><watchdog model='i6300esb'/>", ""],
    ["<watchdog model='itco'/><watchdog model='i6300esb'/>", "", "", "q35"],
    ["<iommu model='virtio'/>", "", "<features><acpi/></features>", "q35"],
    ["<input type='mouse' bus='virtio' model='virtio'/>", ""],
    [
      "<interface type='user'><mac address='52:54:00:11:22:33'/><backend type='passt'/><mtu size='1500'/></interface>",
      "",
    ],
    ["", "", "<features><hap state='on'/><viridian/><privnet/></features>"],
    [
      "",
      "",
      "<clock offset='utc'><timer name='tsc' mode='smpsafe'/><timer name='rtc' tickpolicy='catchup'><catchup slew='120'/></timer></clock>",
    ],
    ["", "", "<on_crash>coredump-restart</on_crash>"],
    ["<video><model type='vga'><acceleration accel3d='no' accel2d='no'/></model></video>", ""],
  ];
  for (const row of rows) {
    test(row.join(" "), () => {
      expect(formatArgv(domainOf(row))).toContain("-machine");
    });
  }
});

describe("formatArgv() says why it refuses", () => {
  test.each([
    [
      "<tpm><backend type='emulator' version='1.2'><active_pcr_banks><sha256/></active_pcr_banks></backend></tpm>",
      "only a TPM 2.0 has several PCR banks",
    ],
    ["<graphics type='sdl'/><graphics type='egl-headless'/>", "an SDL display excludes it"],
    [
      "<graphics type='spice'><gl enable='yes'/></graphics><graphics type='egl-headless'/>",
      "a SPICE display with OpenGL excludes it",
    ],
  ])("%s", (devices, why) => {
    expect(() => formatArgv(domainOf([devices, ""]))).toThrow(why);
  });
});
