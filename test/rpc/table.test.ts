import { describe, expect, test } from "bun:test";
import { mayUse } from "../../src/access/uses.ts";
import type { Procedure } from "../../src/rpc/procedures/procedure.ts";
import { PROCEDURES } from "../../src/rpc/procedures/table.ts";
import { defineDomain } from "../../src/vm/define/define.ts";
import { type Machine, snapshot } from "../memory-host/machine.ts";
import { domainXml, makeMachine, nodeOn, UUID } from "../scenes/scene.ts";
import { DOMAIN_ARGUMENTS } from "./domain-calls.ts";
import { CHANGES, READS } from "./libvirt-numbers.ts";
import { asked, call, domain, errorIn, opening, served, text, word } from "./remote-client.ts";

/** The list of ways to authenticate, which has no function of its own. REMOTE_PROC_AUTH_LIST */
const AUTH_LIST = 66;

const VM1 = domain("vm1", UUID);
/** A network or a storage pool: both are a name and a UUID. */
const NET = text("net") + UUID.replaceAll("-", "");
/** remote_nonnull_secret: UUID, type and name of the use */
const SECRET = UUID.replaceAll("-", "") + word(0) + text("");
const VOLUME = text("pool") + text("v") + text("/v");
const LONG = word(0) + word(1024);
const XML = text(new TextDecoder().decode(domainXml()));

/** Arguments of each changing procedure. */
const ARGUMENTS: Readonly<Record<string, string>> = {
  virDomainCreateXML: XML + word(0),
  virDomainDefineXML: XML,
  virDomainDefineXMLFlags: XML + word(0),
  virDomainReboot: VM1 + word(0),
  virDomainSetAutostart: VM1 + word(1),
  virNetworkCreate: NET,
  virNetworkCreateXML: text("<network><name>net</name></network>"),
  virNodeGetSEVInfo: word(0) + word(0),
  virNetworkCreateXMLFlags: text("<network><name>net</name></network>") + word(0),
  virNetworkDefineXMLFlags: text("<network><name>net</name></network>") + word(0),
  virConnectFindStoragePoolSources: text("logical") + word(0) + word(0),
  virNetworkDefineXML: text("<network><name>net</name></network>"),
  virNetworkDestroy: NET,
  virNetworkSetAutostart: NET + word(1),
  virNetworkUndefine: NET,
  virNWFilterDefineXML: text("<filter name='f'/>"),
  virNWFilterDefineXMLFlags: text("<filter name='f'/>") + word(0),
  virNWFilterUndefine: NET,
  virNetworkSetMetadata: NET + word(1) + word(0) + word(0) + word(0) + word(0),
  virNetworkUpdate: NET + word(3) + word(4) + word(0) + text("<host/>") + word(0),
  virStoragePoolCreateXML: text("<pool type='dir'><name>pool</name></pool>") + word(0),
  virStoragePoolDefineXML: text("<pool type='dir'><name>pool</name></pool>") + word(0),
  virStoragePoolCreate: NET + word(0),
  virStoragePoolBuild: NET + word(0),
  virStoragePoolDestroy: NET,
  virStoragePoolDelete: NET + word(0),
  virStoragePoolUndefine: NET,
  virStoragePoolRefresh: NET + word(0),
  virStoragePoolSetAutostart: NET + word(1),
  virStorageVolCreateXML: NET + text("<volume><name>v</name></volume>") + word(0),
  virStorageVolDelete: VOLUME + word(0),
  virStorageVolCreateXMLFrom: NET + text("<volume/>") + VOLUME + word(0),
  virStorageVolWipe: VOLUME + word(0),
  virStorageVolWipePattern: VOLUME + word(0) + word(0),
  virStorageVolResize: VOLUME + LONG + word(0),
  virDomainAttachDevice: VM1 + text("<disk/>"),
  virDomainDetachDevice: VM1 + text("<disk/>"),
  virDomainAttachDeviceFlags: VM1 + text("<disk/>") + word(0),
  virDomainDetachDeviceFlags: VM1 + text("<disk/>") + word(0),
  virDomainUpdateDeviceFlags: VM1 + text("<disk/>") + word(0),
  virDomainDetachDeviceAlias: VM1 + text("ua-x") + word(0),
  virDomainSetVcpu: VM1 + text("1") + word(1) + word(0),
  virDomainSetMaxMemory: VM1 + LONG,
  virDomainSetMemory: VM1 + LONG,
  virDomainSetMemoryFlags: VM1 + LONG + word(0),
  virDomainSetVcpus: VM1 + word(1),
  virDomainSetVcpusFlags: VM1 + word(1) + word(0),
  virDomainSave: VM1 + text("/vm1.save"),
  virDomainSaveFlags: VM1 + text("/vm1.save") + word(0) + word(0),
  virDomainSaveParams: VM1 + word(0) + word(0),
  virDomainRestoreParams: word(0) + word(0),
  virDomainRestore: text("/vm1.save"),
  virDomainRestoreFlags: text("/vm1.save") + word(0) + word(0),
  virDomainSaveImageGetXMLDesc: text("/vm1.save") + word(0),
  virDomainOpenConsole: VM1 + word(0) + word(0),
  virDomainOpenChannel: VM1 + word(0) + word(0),
  virStorageVolUpload: VOLUME + LONG + LONG + word(0),
  virStorageVolDownload: VOLUME + LONG + LONG + word(0),
  virDomainScreenshot: VM1 + word(0) + word(0),
  virDomainManagedSave: VM1 + word(0),
  virDomainManagedSaveRemove: VM1 + word(0),
  virDomainSnapshotCreateXML: VM1 + text("<domainsnapshot/>") + word(0),
  virDomainRevertToSnapshot: text("s1") + VM1 + word(0),
  virDomainSnapshotDelete: text("s1") + VM1 + word(0),
  virDomainBlockJobAbort: VM1 + text("vda") + word(0),
  virDomainBlockJobSetSpeed: VM1 + text("vda") + LONG + word(0),
  virDomainBlockPull: VM1 + text("vda") + LONG + word(0),
  virDomainBlockResize: VM1 + text("vda") + LONG + word(0),
  virDomainBlockRebase: VM1 + text("vda") + word(0) + LONG + word(0),
  virDomainBlockCommit: VM1 + text("vda") + word(0) + word(0) + LONG + word(0),
  virDomainBlockCopy: VM1 + text("vda") + text("<disk/>") + word(0) + word(0),
  ...DOMAIN_ARGUMENTS,
  virConnectGetDomainCapabilities: word(0).repeat(5),
  virConnectCompareHypervisorCPU: word(0).repeat(4) + text("<cpu/>") + word(0),
  virConnectBaselineHypervisorCPU: word(0).repeat(4) + word(1) + text("<cpu/>") + word(0),
  ...Object.fromEntries(
    ["Dettach", "ReAttach", "Reset"].map((name) => [`virNodeDevice${name}`, text("computer")]),
  ),
  virNodeDeviceDetachFlags: text("computer") + word(0).repeat(2),
  virSecretDefineXML: text("<secret/>") + word(0),
  virSecretSetValue: SECRET + word(0) + word(0),
  virSecretGetValue: SECRET + word(0),
  virSecretUndefine: SECRET,
};
/**
 * virErrorDomain of libvirt's file that checks it: libvirt-network.c, libvirt-storage.c, libvirt-secret.c,
 * libvirt-nwfilter.c; libvirt-domain.c and libvirt-host.c.
 */
function domainOf(api: string): number {
  if (api.includes("Snapshot")) return 35;
  if (api.startsWith("virNetwork")) return 19;
  if (api.startsWith("virNodeDevice")) return 22;
  if (api.startsWith("virSecret")) return 30;
  if (api.startsWith("virNWFilter")) return 33;
  return api.includes("Storage") ? 18 : 20;
}

/** Payload of a call of a changing procedure. */
function argumentsOf(api: string): Uint8Array {
  return Uint8Array.fromHex(ARGUMENTS[api] ?? ofDomain(api));
}

/**
 * Procedures about a domain or a volume whose commands recover nothing: an end of a job that may last, and a
 * look at a file.
 */
const UNRECOVERED = ["virDomainAbortJob", "virDomainAbortJobFlags", "virDomainSaveImageGetXMLDesc"];

const ofDomain = (name: string): string => VM1 + (/Flags$/.test(name) ? word(0) : "");

async function found(number: number): Promise<Procedure> {
  await PROCEDURES.load(number);
  const declared = PROCEDURES.find(number);
  if (declared === undefined)
    throw new Error(`The table names a file that does not declare procedure ${number}`);
  return declared;
}

async function machineWithVm1(): Promise<Machine> {
  const machine = makeMachine();
  await defineDomain(nodeOn(machine), domainXml());
  return machine;
}

describe("the table of procedures", () => {
  test("has libvirt's numbers, and refuses to change by a connection for reading what libvirt refuses", async () => {
    const expected = new Map<number, string>([
      ...Object.entries(READS).map(([api, number]) => [number, `${api} reads`] as const),
      ...Object.entries(CHANGES).map(([api, number]) => [number, `${api} changes`] as const),
      [AUTH_LIST, "virConnectOpen reads"] as const,
    ]);
    const declared = await Promise.all(
      PROCEDURES.numbers.map(async (number) => {
        const { api } = await found(number);
        return [number, `${api} ${mayUse("read-only", api) ? "reads" : "changes"}`] as const;
      }),
    );
    expect(new Map<number, string>(declared)).toEqual(expected);
  });
});

describe("interrupted work is finished or undone before", () => {
  const named = Object.entries(CHANGES).filter(([api]) => /^vir(Domain|StorageVol|NodeDevice)/.test(api));
  test.each(named.filter(([api]) => !UNRECOVERED.includes(api)))("%s", async (api, number) => {
    expect((await found(number)).prepare(argumentsOf(api)).recovers).toBeDefined();
  });
});

test("docs/clients.md lists the answered functions, and no others", async () => {
  const page = await Bun.file(new URL("../../docs/clients.md", import.meta.url)).text();
  const [, section = ""] = /^## Answered calls$(.*?)^Any other call/ms.exec(page) ?? [];
  const listed = [...section.matchAll(/`(vir\w+)`/g)].map(([, api = ""]) => api);
  expect(listed.toSorted()).toEqual([...Object.keys(READS), ...Object.keys(CHANGES)].toSorted());
});

describe("a connection for reading", () => {
  test.each(Object.entries(CHANGES))("cannot call %s", async (api, number) => {
    const machine = await machineWithVm1();
    const before = snapshot(machine);
    const packet = call(number, ARGUMENTS[api] ?? ofDomain(api));
    expect(errorIn(await asked(nodeOn(machine), packet, 1))).toEqual({
      code: 29,
      domain: domainOf(api),
      message: `operation forbidden: read only access prevents ${api}`,
    });
    expect(snapshot(machine)).toEqual(before);
  });

  test("is one by the key or by -r too, whatever the client asks for", async () => {
    const instance = nodeOn(await machineWithVm1());
    const replies = await served(instance, opening(0) + call(35, VM1), { isForReading: true });
    expect(replies.map(({ status }) => status)).toEqual([0, 0, 1]);
  });

  test("does not become another one by closing and opening: no call after its end is answered", async () => {
    const instance = nodeOn(await machineWithVm1());
    const packets = opening(0) + call(2) + opening(0) + call(35, VM1);
    const replies = await served(instance, packets, { isForReading: true });
    expect(replies.map(({ status }) => status)).toEqual([0, 0, 0]);
  });

  test("gets a domain's XML, but not with VIR_DOMAIN_XML_SECURE", async () => {
    const instance = nodeOn(await machineWithVm1());
    expect((await asked(instance, call(14, VM1 + word(0)), 1)).status).toBe(0);
    expect(errorIn(await asked(instance, call(14, VM1 + word(1)), 1))).toEqual({
      code: 29,
      domain: 20,
      message: "operation forbidden: virDomainGetXMLDesc with secure flag",
    });
  });
});
