import { describe, expect, test } from "bun:test";
import type { Instance } from "../../src/state/instance.ts";
import { defineDomain } from "../../src/vm/define/define.ts";
import { domainXml, makeMachine, nodeOn, UUID } from "../scenes/scene.ts";
import { asked, call, domain, errorIn, opening, served, text, word } from "./remote-client.ts";

// Numbers, domains and messages from libvirt 11.3.0: the functions that are named below, and VIR_FROM_THIS of
// their files.

const VM1 = domain("vm1", UUID);
const GONE = "99999999-9999-4999-8999-999999999999";
/** A network or a storage pool that a client has found before. */
const LOST = text("lost") + GONE.replaceAll("-", "");
const NO_TEXT = word(0);

/** Returns a node with vm1 defined. */
async function nodeWithVm1(): Promise<Instance> {
  const instance = nodeOn(makeMachine());
  await defineDomain(instance, domainXml());
  return instance;
}

function capabilitiesOf(emulator: string | undefined, arch: string): string {
  const given = emulator === undefined ? NO_TEXT : word(1) + text(emulator);
  return call(342, given + word(1) + text(arch) + NO_TEXT + NO_TEXT + word(0));
}

describe("an object that is gone is named as the client knows it", () => {
  test.each([
    // qemuDomainObjFromDomain()
    [
      "domain",
      call(19, domain("vm9", GONE)),
      42,
      10,
      `Domain not found: no domain with matching uuid '${GONE}' (vm9)`,
    ],
    // qemuDomainLookupByUUID()
    [
      "UUID",
      call(24, GONE.replaceAll("-", "")),
      42,
      10,
      `Domain not found: no domain with matching uuid '${GONE}'`,
    ],
    // networkObjFromNetwork()
    ["network", call(45, LOST), 43, 19, `Network not found: no network with matching uuid '${GONE}' (lost)`],
    // virStoragePoolObjFromStoragePool()
    [
      "pool",
      call(87, LOST),
      49,
      18,
      `Storage pool not found: no storage pool with matching uuid '${GONE}' (lost)`,
    ],
    // storageVolLookupByKey()
    [
      "key",
      call(96, text("/a//b")),
      50,
      18,
      "Storage volume not found: no storage vol with matching key /a//b",
    ],
    // storageVolLookupByPath()
    [
      "path",
      call(97, text("/a/b")),
      50,
      18,
      "Storage volume not found: no storage vol with matching path '/a/b'",
    ],
    [
      "path that libvirt cleans",
      call(97, text("/a//b/")),
      ...([50, 18, "Storage volume not found: no storage vol with matching path '/a//b/' (/a/b)"] as const),
    ],
  ])("%s", async (...[, packet, code, from, message]) => {
    expect(errorIn(await asked(await nodeWithVm1(), packet))).toEqual({ code, domain: from, message });
  });
});

describe("arguments are refused in libvirt's words", () => {
  const invalid = "Requested operation is not valid";
  test.each([
    // qemuDomainUndefineFlags()
    [
      "both NVRAM flags",
      call(231, VM1 + word(4 | 8)),
      55,
      10,
      `${invalid}: cannot both keep and delete nvram`,
    ],
    ["both TPM flags", call(231, VM1 + word(32 | 64)), 55, 10, `${invalid}: cannot both keep and delete TPM`],
    // qemuConnectGetMaxVcpus()
    ["a type of guest", call(5, word(1) + text("xen")), 8, 10, "invalid argument: unknown type 'xen'"],
    // virQEMUCapsCacheLookupDefault()
    [
      "no architecture",
      capabilitiesOf(undefined, "x86"),
      8,
      10,
      "invalid argument: unknown architecture: x86",
    ],
    [
      "another architecture",
      capabilitiesOf(undefined, "aarch64"),
      67,
      10,
      "unsupported configuration: unable to find any emulator to serve 'aarch64' architecture",
    ],
    [
      "another architecture than the emulator's",
      capabilitiesOf("/usr/bin/qemu-system-x86_64", "aarch64"),
      8,
      10,
      "invalid argument: architecture from emulator 'x86_64' doesn't match given architecture 'aarch64'",
    ],
  ])("%s", async (...[, packet, code, from, message]) => {
    expect(errorIn(await asked(await nodeWithVm1(), packet))).toEqual({ code, domain: from, message });
  });

  // virCheckFlags() is in the function of the backend for a build and a deletion.
  test.each([
    ["virStoragePoolBuild", call(79, LOST + word(1)), 18, "virStorageBackendFileSystemBuild"],
    ["virStoragePoolDelete", call(81, LOST + word(1)), 18, "virStorageBackendDeleteLocal"],
    ["virStoragePoolRefresh", call(83, LOST + word(1)), 18, "storagePoolRefresh"],
    ["virStoragePoolGetXMLDesc", call(88, LOST + word(0x80)), 18, "storagePoolGetXMLDesc"],
    [
      "virStorageVolDelete",
      call(94, text("p") + text("v") + text("k") + word(1)),
      18,
      "virStorageBackendVolDeleteLocal",
    ],
    ["virNetworkGetXMLDesc", call(43, LOST + word(0x80)), 19, "networkGetXMLDesc"],
    ["virDomainSnapshotNum", call(187, VM1 + word(0x8_00)), 10, "qemuDomainSnapshotNum"],
    [
      "virDomainSnapshotCreateXML",
      call(185, VM1 + text("<domainsnapshot/>") + word(0x1_00)),
      10,
      "qemuSnapshotCreateXML",
    ],
    [
      "virDomainBlockCommit",
      call(290, VM1 + text("vda") + word(0) + word(0) + word(0) + word(0) + word(8)),
      10,
      "qemuDomainBlockCommit",
    ],
  ])("an unknown flag of %s", async (...[, packet, from, name]) => {
    expect(errorIn(await asked(await nodeWithVm1(), packet))).toEqual({
      code: 8,
      domain: from,
      message: expect.stringMatching(RegExp(`^unsupported flags \\(0x\\d+\\) in function ${name}$`)),
    });
  });

  test("both flags of a pool's build", async () => {
    // VIR_EXCLUSIVE_FLAGS_RET() of virStorageBackendFileSystemBuild()
    const target = "<target><path>/srv/lost</path></target>";
    const xml = `<pool type='dir'><name>lost</name><uuid>${GONE}</uuid>${target}</pool>`;
    const instance = await nodeWithVm1();
    expect((await asked(instance, call(77, text(xml) + word(0)))).status).toBe(0);
    expect(errorIn(await asked(instance, call(79, LOST + word(4 | 8))))).toEqual({
      code: 8,
      domain: 18,
      message:
        "invalid argument: Flags 'VIR_STORAGE_POOL_BUILD_OVERWRITE' and 'VIR_STORAGE_POOL_BUILD_NO_OVERWRITE' are mutually exclusive",
    });
  });

  test("the migratable XML of a connection for reading, as one with secrets", async () => {
    // virDomainGetXMLDesc() of libvirt-domain.c
    expect(errorIn(await asked(await nodeWithVm1(), call(14, VM1 + word(8)), 1))).toEqual({
      code: 29,
      domain: 20,
      message: "operation forbidden: virDomainGetXMLDesc with secure flag",
    });
  });
});

describe("what libvirtd takes, svirt takes", () => {
  test("all flags of an opening, of which only VIR_CONNECT_RO counts", async () => {
    // remoteDispatchConnectOpen(); virsh sets VIR_CONNECT_NO_ALIASES for some URIs.
    const packets = opening(2 | 0x80_00_00_00) + call(35, VM1);
    expect((await served(await nodeWithVm1(), packets)).map(({ status }) => status)).toEqual([0, 0, 0]);
  });

  test("of a closed connection only the feature of keepalive, and its end", async () => {
    // remoteDispatchConnectSupportsFeature() and remoteDispatchConnectClose()
    const replies = await served(await nodeWithVm1(), call(60, word(10)) + call(60, word(14)) + call(2));
    expect(replies.map(({ status }) => status)).toEqual([0, 1, 0]);
    expect(replies[1] === undefined ? undefined : errorIn(replies[1])).toEqual({
      code: 1,
      domain: 7,
      message: "internal error: hypervisor connection not open",
    });
  });

  test("no call after the end of a connection", async () => {
    // virNetServerClientDelayedClose()
    const replies = await served(await nodeWithVm1(), opening() + call(2) + call(59));
    expect(replies.map(({ procedure }) => procedure)).toEqual([66, 1, 2]);
  });

  test.each([
    ["without a type", NO_TEXT],
    ["without KVM, in any case", word(1) + text("QEMU")],
  ])("the number of CPUs of a guest %s", async (...[, type]) => {
    // qemuConnectGetMaxVcpus()
    expect(await asked(await nodeWithVm1(), call(5, type))).toMatchObject({ status: 0, payload: word(16) });
  });

  test("all flags of snapshots, of which there are none", async () => {
    // qemuDomainSnapshotNum(): 0x400 is VIR_DOMAIN_SNAPSHOT_LIST_TOPOLOGICAL
    const reply = await asked(await nodeWithVm1(), call(187, VM1 + word(0x7_ff)));
    expect(reply).toMatchObject({ status: 0, payload: word(0) });
  });
});
