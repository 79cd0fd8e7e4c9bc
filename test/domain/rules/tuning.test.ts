import { describe, expect, test } from "bun:test";
import { parseDomain } from "../../../src/domain/document.ts";
import { bytesOf } from "../corpus.ts";

function parse(devices: string, more: string, type = "kvm") {
  return parseDomain(
    bytesOf(`<domain type='${type}'><name>g</name><uuid>c7a5fdbd-edaf-9455-926a-d65c16db1809</uuid>
      <memory unit='MiB'>64</memory><vcpu>4</vcpu><os><type>hvm</type></os>${more}<devices>${devices}</devices></domain>`),
  );
}

const network = (options: string): string =>
  `<interface type='network'><source network='default'/>${options}</interface>`;
const cache = (vcpus: string): string =>
  `<cachetune vcpus='${vcpus}'><cache id='0' level='3' type='both' size='1' unit='MiB'/></cachetune>`;
/** Returns a `<memory>` device of 16 MiB. */
const memory = (head: string, target: string, more = "<source><path>/p</path></source>"): string =>
  `<memory ${head}>${more}<target><size unit='MiB'>16</size>${target}</target></memory>`;
const plugged =
  "<maxMemory slots='4' unit='MiB'>512</maxMemory><cpu><numa><cell id='0' cpus='0-3' memory='32' unit='MiB'/></numa></cpu>";
const bandwidth = (vcpus: string): string =>
  `<memorytune vcpus='${vcpus}'><node id='0' bandwidth='10'/></memorytune>`;

// domain_validate.c and domain_conf.c of libvirt refuse each of them.
describe("parseDomain() refuses", () => {
  test.each([
    [
      "",
      "<features><tcg><tb-cache unit='KiB'>1000</tb-cache></tcg></features>",
      "/domain/features/tcg/tb-cache",
    ],
    ["", "<cpu mode='custom'><feature name='x'/></cpu>", "/domain/cpu/feature"],
    ["", "<on_poweroff>preserve</on_poweroff>", "/domain/on_poweroff"],
    ["", "<on_reboot>preserve</on_reboot>", "/domain/on_reboot"],
    ["", "<on_poweroff>restart</on_poweroff><on_reboot>destroy</on_reboot>", "/domain/on_poweroff"],
    ["", "<memtune><min_guarantee>1</min_guarantee></memtune>", "/domain/memtune/min_guarantee"],
    [
      "<controller type='pci' index='1' model='pci-expander-bus'><target><node>5</node></target></controller>",
      "",
      "/domain/devices/controller/target/node",
    ],
    [
      "<filesystem type='mount' accessmode='passthrough' model='virtio'><driver type='virtiofs'/><source dir='/a'/><target dir='b'/></filesystem>",
      "<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>",
      "/domain/devices/filesystem/@model",
    ],
    [
      "<filesystem type='mount' accessmode='passthrough'><driver type='virtiofs'/><source dir='/a'/><target dir='b'/></filesystem><filesystem type='mount' accessmode='passthrough'><driver type='virtiofs'/><source dir='/a'/><target dir='b'/></filesystem>",
      "<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>",
      "/domain/devices/filesystem[2]/target/@dir",
    ],
    [
      "<filesystem><source dir='/a'/><target dir='b'/></filesystem><filesystem><driver type='virtiofs'/><source dir='/a'/><target dir='b'/></filesystem>",
      "<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>",
      "/domain/devices/filesystem[2]/target/@dir",
    ],
    [
      "<filesystem><driver type='virtiofs'/><source dir='/a'/><target dir='b'/></filesystem><filesystem><source dir='/a'/><target dir='b'/></filesystem>",
      "<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>",
      "/domain/devices/filesystem[2]/target/@dir",
    ],
    ...(
      [
        [memory("model='nvdimm' discard='yes'", "<node>0</node>"), "@discard"],
        [
          memory(
            "model='nvdimm'",
            "<node>0</node>",
            "<uuid>49545eb3-75e1-2d0a-acdd-f0294406c99e</uuid><source><path>/p</path></source>",
          ),
          "uuid",
        ],
        [memory("model='virtio-pmem' access='shared' discard='yes'", ""), "@discard"],
        [memory("model='virtio-pmem' access='private'", ""), "@access"],
        [memory("model='virtio-pmem'", ""), "@access"],
        [
          memory("model='virtio-pmem' access='shared'", "<address base='0x100000001'/>"),
          "target/address/@base",
        ],
        [
          memory(
            "model='virtio-mem'",
            "<node>0</node><block unit='MiB'>1</block><requested>0</requested>",
            "",
          ),
          "target/block",
        ],
        [
          memory(
            "model='virtio-mem'",
            "<node>0</node><block unit='MiB'>2</block><requested>0</requested><address base='0x100100000'/>",
            "",
          ),
          "target/address/@base",
        ],
      ] as const
    ).map(([device, place]) => [device, plugged, `/domain/devices/memory/${place}`] as const),
    ["<graphics type='vnc' passwd='123456789'/>", "", "/domain/devices/graphics/@passwd"],
    [network("<rom enabled='no' bar='on'/>"), "", "/domain/devices/interface/rom/@bar"],
    [network("<rom enabled='no' file='/a'/>"), "", "/domain/devices/interface/rom/@file"],
    [
      "<disk type='network' device='cdrom'><source protocol='http'><host name='h'/></source><target dev='sda'/></disk>",
      "",
      "/domain/devices/disk/source/@name",
    ],
    [
      "",
      "<cputune><cachetune vcpus='0'><cache id='0' level='3' type='both' size='1'/><cache id='0' level='3' type='both' size='2'/></cachetune></cputune>",
      "/domain/cputune/cachetune/cache",
    ],
    [
      "",
      "<cputune><memorytune vcpus='0'><node id='1' bandwidth='10'/><node id='1' bandwidth='20'/></memorytune></cputune>",
      "/domain/cputune/memorytune/node",
    ],
    ["<graphics type='dbus' p2p='yes' address='unix:path=/a'/>", "", "/domain/devices/graphics/@address"],
    [
      "",
      "<iothreads>2</iothreads><cputune><iothreadsched iothreads='5' scheduler='batch'/></cputune>",
      "/domain/cputune/iothreadsched/@iothreads",
    ],
    [
      "",
      "<cputune><cachetune vcpus='0'><cache id='0' level='3' type='both' size='1' unit='MiB'/></cachetune><cachetune vcpus='0'><cache id='0' level='3' type='both' size='1' unit='MiB'/></cachetune></cputune>",
      "/domain/cputune/cachetune",
    ],
    [
      "",
      "<iothreads>1</iothreads><iothreadids><iothread id='1' thread_pool_max='0'/></iothreadids>",
      "/domain/iothreadids/iothread/@thread_pool_max",
    ],
    [
      "",
      "<iothreads>1</iothreads><iothreadids><iothread id='1' thread_pool_min='5'/></iothreadids>",
      "/domain/iothreadids/iothread/@thread_pool_max",
    ],
    [
      "",
      "<defaultiothread thread_pool_min='5' thread_pool_max='4'/>",
      "/domain/defaultiothread/@thread_pool_max",
    ],
    ["", "<defaultiothread thread_pool_max='0'/>", "/domain/defaultiothread/@thread_pool_max"],
    [
      "",
      "<blkiotune><device><path>/a</path><weight>500</weight></device><device><path>/a</path><weight>500</weight></device></blkiotune>",
      "/domain/blkiotune/device",
    ],
    ["", "<idmap><uid start='0' target='1' count='1'/></idmap>", "/domain/idmap"],
    [
      "",
      "<idmap><uid start='5' target='1' count='1'/><gid start='0' target='1' count='1'/></idmap>",
      "/domain/idmap",
    ],
    [
      "<disk type='file' device='disk'><source file='/d'/><target dev='vda' bus='virtio'/><alias name='ua-x'/></disk><disk type='file' device='disk'><source file='/d'/><target dev='vdb' bus='virtio'/><alias name='ua-x'/></disk>",
      "",
      "/domain/devices/disk[2]/alias/@name",
    ],
    [
      "<graphics type='vnc' listen='1.2.3.4'><listen type='address' address='5.6.7.8'/></graphics>",
      "",
      "/domain/devices/graphics/@listen",
    ],
    [
      "<graphics type='vnc' socket='/a'><listen type='socket' socket='/b'/></graphics>",
      "",
      "/domain/devices/graphics/@socket",
    ],
    [
      "<graphics type='vnc' socket='/a'><listen type='address' address='0.0.0.0'/></graphics>",
      "",
      "/domain/devices/graphics/@socket",
    ],
    ["", `<cputune>${cache("0-1")}${cache("1")}</cputune>`, "/domain/cputune/cachetune"],
    ["", `<cputune>${bandwidth("0-1")}${bandwidth("1")}</cputune>`, "/domain/cputune/memorytune"],
    ["", `<cputune>${cache("0-1")}${bandwidth("1-2")}</cputune>`, "/domain/cputune/cachetune"],
    [
      "<memory model='nvdimm'><source><path>/n</path></source><target><size unit='MiB'>512</size><node>0</node><label><size unit='KiB'>64</size></label></target></memory>",
      "",
      "/domain/devices/memory/target/label/size",
    ],
    [
      "<memory model='nvdimm'><source><path>/n</path></source><target><size unit='MiB'>512</size><node>0</node><label><size unit='MiB'>512</size></label></target></memory>",
      "",
      "/domain/devices/memory/target/label/size",
    ],
    ["", "<title>two\nlines</title>", "/domain/title"],
    [network("<vlan/>"), "", "/domain/devices/interface/vlan/tag"],
    [
      network("<vlan trunk='no'><tag id='1'/><tag id='2'/></vlan>"),
      "",
      "/domain/devices/interface/vlan/@trunk",
    ],
    [
      network("<vlan trunk='no'><tag id='1' nativeMode='tagged'/></vlan>"),
      "",
      "/domain/devices/interface/vlan/@trunk",
    ],
    [
      network("<vlan><tag id='1' nativeMode='tagged'/><tag id='2' nativeMode='untagged'/></vlan>"),
      "",
      "/domain/devices/interface/vlan/tag/@nativeMode",
    ],
    [
      network("<bandwidth><inbound floor='1' peak='2'/></bandwidth>"),
      "",
      "/domain/devices/interface/bandwidth/inbound/@average",
    ],
    [
      network("<bandwidth><outbound/></bandwidth>"),
      "",
      "/domain/devices/interface/bandwidth/outbound/@average",
    ],
  ])("%s%s", (devices, more, place) => {
    expect(() => parse(devices, more)).toThrow(`Cannot read ${place} in line `);
  });

  test("a share of the processor's caches for an emulated processor", () => {
    expect(() => parse("", `<cputune>${cache("0")}</cputune>`, "qemu")).toThrow("it requires KVM");
  });
});

test("parseDomain() takes the same virtual CPUs for a cache and for the memory bus", () => {
  expect(parse("", `<cputune>${cache("0-1")}${bandwidth("0-1")}</cputune>`).cputune).toBeDefined();
});

test("parseDomain() takes a console with the alias of the serial port that it is", () => {
  const port = "<target port='0'/><alias name='ua-first'/>";
  expect(parse(`<serial type='pty'>${port}</serial><console type='pty'>${port}</console>`, "")).toBeDefined();
});
