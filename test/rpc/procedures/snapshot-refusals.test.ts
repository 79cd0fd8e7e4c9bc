import { describe, expect, test } from "bun:test";
import type { Instance } from "../../../src/state/instance.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { createSnapshot, newSnapshot } from "../../../src/vm/snapshot/create-snapshot.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { diskXml, domainXml, makeMachine, nodeOn, putText } from "../../scenes/scene.ts";
import { asked, call, domain, errorIn, text, word } from "../remote-client.ts";

// Numbers from virterror.h of libvirt; which of them each refusal has from the functions that are named, and
// domains from VIR_FROM_THIS of their files: qemu_driver.c and qemu_snapshot.c QEMU 10,
// virdomainmomentobjlist.c DOMAIN 20, snapshot_conf.c and libvirt-domain-snapshot.c DOMAIN_SNAPSHOT 35.

const [QEMU, DOMAIN, SNAPSHOT] = [10, 20, 35];
const [INTERNAL, INVALID_ARG, FAILED, XML, XML_DETAIL, SYSTEM] = [1, 8, 9, 27, 35, 38];
const [CONFIG, NONE_FOUND, RISKY, UNSUPPORTED] = [67, 72, 77, 84];
const [REDEFINE, DISK_ONLY, REUSES] = [1, 16, 32];

type Refusal = readonly [what: string, packet: (vm: string) => string, code: number, from: number];

/** Returns a node with a domain that is off, its snapshot s1, and s2 after it. */
async function nodeWithSnapshots(uuid: string, runs = false): Promise<Instance> {
  const machine = makeMachine();
  const block = "<disk type='block' device='disk'><source dev='/dev/vdb'/><target dev='vdb'/></disk>";
  const disks = `${diskXml("/var/lib/images/top.qcow2", "vda")}${block}`;
  await defineDomain(nodeOn(machine), domainXml({ uuid, disks }));
  for (const name of ["s1", "s2"]) {
    const flags = { isDiskOnly: true, isKept: true, reuses: false };
    const chosen = [{ name: "vdb", snapshot: "no", driver: undefined, file: undefined }] as const;
    const snapshot = newSnapshot(nodeOn(machine), { name, description: undefined, disks: chosen, flags });
    await createSnapshot(nodeOn(machine), uuid, { snapshot });
  }
  putText(machine, "/var/lib/images/full", "data");
  const xml = new TextEncoder().encode(nodeOn(machine).host.readText("/etc/svirt/domains/vm1.xml") ?? "");
  if (runs) await startDomain(nodeOn(machine), xml);
  return nodeOn(machine);
}

const named = (procedure: number, name: string) => (vm: string) => call(procedure, text(name) + vm + word(0));
const create =
  (content: string, flags = DISK_ONLY) =>
  (vm: string) =>
    call(185, vm + text(`<domainsnapshot>${content}</domainsnapshot>`) + word(flags));
const disk = (attributes: string, content = "") =>
  create(`<disks><disk name='vdb' snapshot='no'/><disk ${attributes}>${content}</disk></disks>`);
const redefine = (facts: Readonly<Record<string, string>>, more = "", flags = 0) => {
  const parts = { name: "s3", state: "shutoff", creationTime: "1", ...facts };
  const elements = Object.entries(parts).map(([tag, value]) =>
    value === "" ? "" : `<${tag}>${value}</${tag}>`,
  );
  return create(elements.join("") + more, REDEFINE | flags);
};
const child = (name: string) => `<parent><name>${name}</name></parent>`;

/** Refusals of a domain that is off. */
const REFUSALS: readonly Refusal[] = [
  // qemuSnapObjFromName()
  ["a look-up of an unknown name", (vm) => call(189, vm + text("s9") + word(0)), NONE_FOUND, QEMU],
  ["the XML of an unknown one", named(186, "s9"), NONE_FOUND, QEMU],
  ["the parent of an unknown one", named(244, "s9"), NONE_FOUND, QEMU],
  ["whether an unknown one is current", named(271, "s9"), NONE_FOUND, QEMU],
  ["whether an unknown one has metadata", named(272, "s9"), NONE_FOUND, QEMU],
  ["the number of children of an unknown one", named(246, "s9"), NONE_FOUND, QEMU],
  ["a revert to an unknown one", named(192, "s9"), NONE_FOUND, QEMU],
  ["a removal of an unknown one", (vm) => call(193, text("s9") + vm + word(2)), NONE_FOUND, QEMU],
  // qemuDomainSnapshotGetParent()
  ["the parent of the first one", named(244, "s1"), NONE_FOUND, QEMU],
  // VIR_EXCLUSIVE_FLAGS_GOTO() in virDomainSnapshotDelete()
  [
    "a removal of children and only children",
    (vm) => call(193, text("s1") + vm + word(7)),
    INVALID_ARG,
    SNAPSHOT,
  ],
  // qemuSnapshotCreateXMLValidateDef()
  ["a name with a slash", create("<name>a/b</name>"), XML_DETAIL, QEMU],
  ["a name with a dot in front", create("<name>.a</name>"), XML_DETAIL, QEMU],
  // virDomainMomentAssignDef()
  [
    "a name that exists",
    create("<name>s1</name><disks><disk name='vdb' snapshot='no'/></disks>"),
    FAILED,
    DOMAIN,
  ],
  // virDomainSnapshotAlignDisks()
  ["an unknown disk", disk("name='vdz'"), CONFIG, SNAPSHOT],
  ["a disk twice", disk("name='vdb'"), CONFIG, SNAPSHOT],
  // virDomainSnapshotDefAssignExternalNames()
  ["a disk on a device without a path", create(""), CONFIG, SNAPSHOT],
  // qemuSnapshotPrepare()
  ["no disk", disk("name='vda' snapshot='no'"), CONFIG, QEMU],
  ["another format", disk("name='vda'", "<driver type='raw'/>"), CONFIG, QEMU],
  // qemuSnapshotPrepareDiskExternal()
  ["a path that exists", disk("name='vda'", "<source file='/var/lib/images/full'/>"), CONFIG, QEMU],
  [
    "a file to reuse that does not exist",
    create(
      "<disks><disk name='vdb' snapshot='no'/><disk name='vda'><source file='/var/lib/images/no'/></disk></disks>",
      DISK_ONLY | REUSES,
    ),
    SYSTEM,
    QEMU,
  ],
  // virDomainSnapshotDefParse()
  ["a redefinition without a name", redefine({ name: "" }), XML, SNAPSHOT],
  ["one without a time", redefine({ creationTime: "" }), INTERNAL, SNAPSHOT],
  ["one without a state", redefine({ state: "" }), XML, SNAPSHOT],
  ["one with memory of a domain that was off", redefine({}, "<memory snapshot='internal'/>"), XML, SNAPSHOT],
  // qemuSnapshotCreateXMLValidateDef()
  ["one of a domain that was blocked", redefine({ state: "blocked" }), INTERNAL, QEMU],
  ["one of a domain that slept", redefine({ state: "pmsuspended" }), UNSUPPORTED, QEMU],
  // virDomainMomentCheckCycles()
  ["one that is its own parent", redefine({}, child("s3")), INVALID_ARG, DOMAIN],
  ["one with an unknown parent", redefine({}, child("s9")), INVALID_ARG, DOMAIN],
  ["one whose child is its parent", redefine({ name: "s1" }, child("s2")), INVALID_ARG, DOMAIN],
  // virDomainSnapshotRedefineValidate()
  ["one of disks only, in another state", redefine({}, "", DISK_ONLY), INVALID_ARG, SNAPSHOT],
  [
    "one of another domain",
    redefine({}, "<domain><uuid>99999999-9999-4999-8999-999999999999</uuid></domain>"),
    INVALID_ARG,
    SNAPSHOT,
  ],
  ["one that was online", redefine({ name: "s2", state: "running" }, child("s1")), INVALID_ARG, SNAPSHOT],
  [
    "one that was of disks",
    redefine({ name: "s2", state: "disk-snapshot" }, child("s1")),
    INVALID_ARG,
    SNAPSHOT,
  ],
];

describe("a refusal about snapshots has libvirt's number and domain", () => {
  test.each(REFUSALS)("%s", async (...[, packet, code, from]) => {
    const uuid = crypto.randomUUID();
    const node = await nodeWithSnapshots(uuid);
    const error = errorIn(await asked(node, packet(domain("vm1", uuid))));
    expect([error?.message, error?.code, error?.domain]).toEqual([expect.any(String), code, from]);
  });

  // qemuSnapshotPrepare(): "active qemu domains require external disk snapshots"
  test("an internal one of a running guest", async () => {
    const uuid = crypto.randomUUID();
    const node = await nodeWithSnapshots(uuid, true);
    const packet = disk("name='vda' snapshot='internal'")(domain("vm1", uuid, 1));
    expect(errorIn(await asked(node, packet))).toMatchObject({ code: CONFIG, domain: QEMU });
  });

  // qemuDomainSnapshotCurrent(), qemuSnapshotRevertValidate() of libvirt
  test("the current one of none, and a revert to one without a definition", async () => {
    const uuid = crypto.randomUUID();
    const machine = makeMachine();
    await defineDomain(nodeOn(machine), domainXml({ uuid }));
    const vm = domain("vm1", uuid);
    const refused = async (packet: string) => errorIn(await asked(nodeOn(machine), packet));
    expect(await refused(call(191, vm + word(0)))).toMatchObject({ code: NONE_FOUND, domain: QEMU });
    const bare = `<domain><uuid>${uuid}</uuid></domain>`;
    const external = "<disks><disk name='vda' snapshot='external'/></disks>";
    await asked(nodeOn(machine), redefine({ name: "s1" }, external + bare)(vm));
    expect(await refused(named(192, "s1")(vm))).toMatchObject({ code: RISKY, domain: QEMU });
  });
});
