import { describe, expect, test } from "bun:test";
import type { Instance } from "../../src/state/instance.ts";
import { defineDomain } from "../../src/vm/define/define.ts";
import { startDomain } from "../../src/vm/start/start.ts";
import { diskXml, domainXml, makeMachine, nodeOn, OTHER, putText, UUID } from "../scenes/scene.ts";
import { asked, call, domain, errorIn, opening, served, text, word } from "./remote-client.ts";

// Codes and parts are those that libvirtd 11.3.0 of Debian 13 returned to the same calls.

const VM1 = domain("vm1", UUID);
const NONE = word(0);
const VOLUME = text("p") + text("v") + text("/p/v");
const SNAPSHOT = text("s") + VM1;
/** VIR_DOMAIN_AFFECT_CONFIG */
const CONFIG = word(2);
const RNG = text("<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>");
const another = text(new TextDecoder().decode(domainXml({ uuid: OTHER })));

/** Returns a node with vm1 defined. */
async function nodeWithVm1(): Promise<Instance> {
  const instance = nodeOn(makeMachine());
  await defineDomain(instance, domainXml());
  return instance;
}

async function transientNode(): Promise<Instance> {
  const instance = nodeOn(makeMachine());
  await startDomain(instance, domainXml());
  return instance;
}

/** Returns a node whose host has two processors in one NUMA cell. */
async function nodeWithProcessors(): Promise<Instance> {
  const machine = makeMachine();
  putText(machine, "/sys/devices/system/cpu/online", "0-1\n");
  putText(machine, "/proc/stat", "cpu  1 2 3 4 5 6 7 8 9 10\n");
  putText(machine, "/proc/meminfo", "MemTotal: 1000 kB\nMemFree: 400 kB\n");
  putText(machine, "/sys/devices/system/node/node0/cpulist", "0-1\n");
  putText(machine, "/sys/devices/system/node/node0/meminfo", "Node 0 MemFree: 400 kB\n");
  return nodeOn(machine);
}

/** Returns a node with vm1 defined, whose disk uses its I/O thread 1. */
async function nodeWithThread(): Promise<Instance> {
  const instance = nodeOn(makeMachine());
  const disks = diskXml("/var/lib/images/private1.raw", "vda").replace("<driver ", "<driver iothread='1' ");
  await defineDomain(instance, domainXml({ lifecycle: "<iothreads>1</iothreads>", disks }));
  return instance;
}

describe("an unknown flag is refused by the function that refuses it in libvirt", () => {
  const unknown = word(1 << 27);
  test.each([
    ["virNodeGetCPUMap", call(293, NONE + NONE + unknown), 0, "virHostCPUGetMap"],
    ["virNodeGetCPUStats", call(227, word(-1) + NONE + unknown), 0, "virHostCPUGetStats"],
    ["virNodeGetMemoryStats", call(228, NONE + word(-1) + unknown), 0, "virHostMemGetStats"],
    ["virNodeGetMemoryParameters", call(289, NONE + unknown), 0, "virHostMemGetParameters"],
    ["virDomainRestoreFlags", call(233, text("/x") + NONE + unknown), 10, "qemuDomainRestoreInternal"],
    ["virDomainAttachDeviceFlags", call(160, VM1 + RNG + unknown), 10, "qemuDomainAttachDeviceLiveAndConfig"],
    ["virDomainDetachDeviceFlags", call(161, VM1 + RNG + unknown), 10, "qemuDomainDetachDeviceLiveAndConfig"],
    ["virDomainBackupGetXMLDesc", call(422, VM1 + unknown), 10, "qemuBackupGetXMLDesc"],
    ["virDomainGetMetadata", call(265, VM1 + NONE + NONE + unknown), 20, "virDomainObjGetMetadata"],
    [
      "virNetworkGetMetadata",
      call(445, text("n") + "00".repeat(16) + NONE + NONE + unknown),
      19,
      "virNetworkObjGetMetadata",
    ],
    ["virStorageVolWipe", call(165, VOLUME + unknown), 18, "storageVolWipePattern"],
  ])("%s", async (...[, packet, from, name]) => {
    expect(errorIn(await asked(await nodeWithVm1(), packet))).toEqual({
      code: 8,
      domain: from,
      message: `unsupported flags (0x8000000) in function ${name}`,
    });
  });
});

describe("an error has the part of libvirt that finds the fault", () => {
  test.each([
    ["a name that is taken", nodeWithVm1, call(11, another), 9, 20],
    ["a start of a name that is taken", nodeWithVm1, call(10, another + NONE), 9, 20],
    ["the definition of a transient guest", transientNode, call(160, VM1 + RNG + CONFIG), 55, 20],
    ["an interface that the guest does not have", transientNode, call(65, VM1 + text("vnet9")), 8, 20],
    ["an I/O thread that is not there", nodeWithVm1, call(356, VM1 + word(7) + CONFIG), 8, 20],
    ["an I/O thread that is there", nodeWithThread, call(355, VM1 + word(1) + CONFIG), 8, 20],
    ["an I/O thread in use", nodeWithThread, call(356, VM1 + word(1) + CONFIG), 8, 20],
    ["XML of a snapshot", nodeWithVm1, call(185, VM1 + text("<domainsnapshot") + NONE), 35, 35],
    ["a processor that is none", nodeWithVm1, call(158, text("<domain/>") + NONE), 27, 31],
    ["a NUMA cell of the host", nodeWithProcessors, call(101, word(99) + word(1)), 1, 0],
    ["statistics of a processor of the host", nodeWithVm1, call(227, word(9999) + word(0) + NONE), 8, 0],
    ["statistics of a NUMA cell", nodeWithProcessors, call(228, NONE + word(9999) + NONE), 8, 0],
    ["a way to wipe", nodeWithVm1, call(259, VOLUME + word(99) + NONE), 8, 18],
  ])("%s", async (...[, makeNode, packet, code, from]) => {
    expect(errorIn(await asked(await makeNode(), packet))).toMatchObject({ code, domain: from });
  });

  test.each([
    [
      "processors",
      call(227, word(-1) + word(3) + NONE),
      "nparams in virHostCPUGetStatsLinux must be equal to 4",
    ],
    ["memory", call(228, word(3) + word(-1) + NONE), "nparams in virHostMemGetStatsLinux must be equal to 2"],
  ])("room for statistics of the host's %s", async (_, packet, message) => {
    const error = errorIn(await asked(await nodeWithProcessors(), packet));
    expect(error).toEqual({ code: 8, domain: 0, message });
  });

  test.each([
    ["of the host", -1, "page size 2048 is not available"],
    ["of a NUMA cell", 0, "page size 2048 is not available on node 0"],
  ])("a size of pages %s", async (...[, cell, message]) => {
    const pages = call(340, word(1) + word(2048) + word(cell) + word(1) + NONE);
    expect(errorIn(await asked(await nodeWithProcessors(), pages))).toEqual({
      code: 9,
      domain: 0,
      message: `operation failed: ${message}`,
    });
  });

  test("a snapshot that a connection for reading may not change, too", async () => {
    const calls =
      call(185, VM1 + text("<domainsnapshot/>") + NONE) +
      call(192, SNAPSHOT + NONE) +
      call(193, SNAPSHOT + NONE);
    const replies = await served(await nodeWithVm1(), opening(1) + calls);
    expect(replies.slice(2).map((reply) => errorIn(reply)?.domain)).toEqual([35, 35, 35]);
  });
});
