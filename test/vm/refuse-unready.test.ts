import { describe, expect, test } from "bun:test";
import { parseDomain } from "../../src/domain/document.ts";
import { refuseUnready } from "../../src/vm/refuse-unready.ts";
import { domainWith } from "../domain/corpus.ts";

describe("refuseUnready()", () => {
  test.each([
    ["<vcpu cpuset='0'>1</vcpu>", "/domain/vcpu/@cpuset: svirt does not pin a guest's threads yet"],
    ["<vcpu placement='auto'>1</vcpu>", "/domain/vcpu/@placement: svirt does not ask numad yet"],
    ["<cputune><shares>2</shares></cputune>", "/domain/cputune: svirt does not schedule"],
    ["<blkiotune><weight>500</weight></blkiotune>", "/domain/blkiotune: svirt does not limit"],
    ["<memtune><hard_limit>1</hard_limit></memtune>", "/domain/memtune: svirt does not limit"],
    ["<resource><partition>/a</partition></resource>", "/domain/resource: svirt does not put"],
    ["<on_crash>coredump-restart</on_crash>", "/domain/on_crash: svirt does not dump a guest's memory"],
    [
      "<idmap><uid start='0' target='1' count='1'/><gid start='0' target='1' count='1'/></idmap>",
      "/domain/idmap: svirt does not map",
    ],
    ["<perf><event name='cmt' enabled='yes'/></perf>", "/domain/perf: svirt does not count"],
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
    ["<on_lockfailure>pause</on_lockfailure>", "/domain/on_lockfailure: svirt does not take leases"],
    ["<numatune><memory nodeset='0'/></numatune>", "/domain/numatune: svirt does not choose"],
    ["<memoryBacking><hugepages/></memoryBacking>", "/domain/memoryBacking/hugepages: svirt does not set"],
    ["<memoryBacking><locked/></memoryBacking>", "/domain/memoryBacking/locked: svirt does not lock"],
  ])("%s", (xml, message) => {
    expect(() => refuseUnready(parseDomain(domainWith("", xml)))).toThrow(
      `Cannot start the guest: ${message}`,
    );
  });

  test("lets a domain without any of that start", () => {
    refuseUnready(parseDomain(domainWith("", "<vcpu>2</vcpu><iothreads>1</iothreads>")));
  });
});
