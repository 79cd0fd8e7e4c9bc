import { describe, expect, test } from "bun:test";
import { parseDomain } from "../../../src/domain/document.ts";
import { refuseUnimplemented } from "../../../src/domain/unimplemented/refuse.ts";
import { domainWith } from "../corpus.ts";

describe("refuseUnimplemented()", () => {
  test.each([
    [
      "<vcpu placement='auto'>1</vcpu>",
      "/domain/vcpu/@placement: svirt does not ask numad for a placement yet",
    ],
    [
      "<cputune><cachetune vcpus='0'><cache id='0' level='3' type='both' size='3' unit='MiB'/></cachetune></cputune>",
      "/domain/cputune/cachetune: svirt does not allocate processor cache (resctrl)",
    ],
    [
      "<cputune><memorytune vcpus='0'><node id='0' bandwidth='60'/></memorytune></cputune>",
      "/domain/cputune/memorytune: svirt does not allocate memory bandwidth (resctrl)",
    ],
    [
      "<resource><fibrechannel appid='a'/></resource>",
      "/domain/resource/fibrechannel: svirt does not set a Fibre Channel VMID",
    ],
    [
      "<clock offset='timezone' timezone='Europe/Paris'/>",
      "/domain/clock/@timezone: svirt does not set a time zone for QEMU",
    ],
    [
      "<on_crash>coredump-restart</on_crash>",
      "/domain/on_crash: svirt does not dump the guest's memory after a crash",
    ],
    [
      "<idmap><uid start='0' target='1' count='1'/><gid start='0' target='1' count='1'/></idmap>",
      "/domain/idmap: svirt does not map",
    ],
    [
      "<perf><event name='cmt' enabled='yes'/></perf>",
      "/domain/perf: svirt does not enable performance events",
    ],
    [
      "<launchSecurity type='sev'><policy>0x1</policy></launchSecurity>",
      "/domain/launchSecurity: svirt does not open /dev/sev for a guest",
    ],
    [
      "<cpu><model>core2duo</model><feature policy='forbid' name='vmx'/></cpu>",
      "/domain/cpu: svirt does not compare",
    ],
    ["<cpu match='strict'><model>core2duo</model></cpu>", "/domain/cpu: svirt does not compare"],
    ["<cpu><model>core2duo</model><vendor>Intel</vendor></cpu>", "/domain/cpu: svirt does not compare"],
    ["<on_lockfailure>pause</on_lockfailure>", "/domain/on_lockfailure: svirt does not use a lock manager"],
    [
      "<numatune><memory placement='auto'/></numatune>",
      "/domain/numatune/memory/@placement: svirt does not ask",
    ],
  ])("%s", (xml, message) => {
    expect(() => refuseUnimplemented(parseDomain(domainWith("", xml)))).toThrow(
      `Cannot start the guest: ${message}`,
    );
  });

  test.each([
    [
      "<disk type='dir'><driver type='fat'/><source dir='/srv'/><target dev='vda'/><readonly/></disk>",
      "/@type: svirt does not present a folder as a disk: QEMU would open files of that folder by name",
    ],
    [
      "<disk type='vhostvdpa'><driver type='raw'/><source dev='/dev/vhost-vdpa-0'/><target dev='vda' bus='virtio'/></disk>",
      "/@type: svirt does not support disks of vDPA devices",
    ],
  ])("names the place of a disk, and the reason: %s", (disk, message) => {
    expect(() => refuseUnimplemented(parseDomain(domainWith(disk)))).toThrow(
      `Cannot start the guest: /domain/devices/disk[1]${message}`,
    );
  });

  test("lets a domain without any of that start", () => {
    const shares = "<cputune><shares>2</shares></cputune><blkiotune><weight>500</weight></blkiotune>";
    const limits =
      "<memtune><hard_limit>1</hard_limit></memtune><numatune><memory mode='strict' nodeset='0'/></numatune>";
    const rest = "<vcpu cpuset='0'>2</vcpu><iothreads>1</iothreads>";
    refuseUnimplemented(parseDomain(domainWith("", `${rest}${shares}${limits}`)));
  });
});
