import { describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Instance } from "../../../src/state/instance.ts";
import { readSnapshots, type StoredSnapshot, writeSnapshots } from "../../../src/state/snapshots.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { createSnapshot, newSnapshot } from "../../../src/vm/snapshot/create-snapshot.ts";
import { deleteSnapshot } from "../../../src/vm/snapshot/delete-snapshot.ts";
import { redefineSnapshot } from "../../../src/vm/snapshot/redefine-snapshot.ts";
import { selectSnapshots } from "../../../src/vm/snapshot/select-snapshots.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { asked, call, domain, errorIn, word } from "../../rpc/remote-client.ts";
import { diskXml, domainXml, errorOf, makeMachine, nodeOn } from "../../scenes/scene.ts";

setDefaultTimeout(120_000);

/** REMOTE_DOMAIN_SNAPSHOT_LIST_MAX of libvirt's remote_protocol.x */
const MOST = 16_384;
const DISKS = diskXml("/var/lib/images/top.qcow2", "vda");

function stored(at: number): StoredSnapshot {
  const parent = at === 0 ? undefined : `s${at - 1}`;
  const above = parent === undefined ? "" : `<parent><name>${parent}</name></parent>`;
  return {
    name: `s${at}`,
    ...(parent === undefined ? {} : { parent }),
    state: "shutoff",
    createdAt: 1,
    isExternal: true,
    xml: `<domainsnapshot><name>s${at}</name><state>shutoff</state>${above}<creationTime>1</creationTime></domainsnapshot>`,
  };
}

/** Returns a node with a domain that has as many snapshots as may be, each the child of the one before. */
async function nodeWithMost(uuid: string): Promise<Instance> {
  const node = nodeOn(makeMachine());
  await defineDomain(node, domainXml({ uuid, disks: DISKS }));
  const snapshots = Array.from({ length: MOST }, (_, at) => stored(at));
  writeSnapshots(node, uuid, { current: `s${MOST - 1}`, snapshots });
  return node;
}

function take(node: Instance, uuid: string, isKept = true): Promise<unknown> {
  const flags = { isDiskOnly: true, isKept, reuses: false };
  const snapshot = newSnapshot(node, { name: "more", description: undefined, disks: [], flags });
  return createSnapshot(node, uuid, { snapshot });
}

describe("a domain with the most snapshots that libvirt's clients list", () => {
  test("has them all in each list, after their parents", async () => {
    const uuid = crypto.randomUUID();
    const node = await nodeWithMost(uuid);
    const names = selectSnapshots(node, uuid, { filter: {} }).map(({ name }) => name);
    expect(names).toEqual(Array.from({ length: MOST }, (_, at) => `s${at}`));
    const below = selectSnapshots(node, uuid, { from: "s0", filter: { descendants: true, leaves: true } });
    expect(below.map(({ name }) => name)).toEqual([`s${MOST - 1}`]);
    const reply = await asked(node, call(274, domain("vm1", uuid) + word(1) + word(0)));
    expect([errorIn(reply), reply.payload.slice(0, 8)]).toEqual([undefined, word(MOST)]);
  });

  test.each([false, true])("gets no other one while it runs: %p", async (runs) => {
    const uuid = crypto.randomUUID();
    const node = await nodeWithMost(uuid);
    if (runs) await startDomain(node, domainXml({ uuid, disks: DISKS }));
    const images = node.host.listFolder("/var/lib/images");
    const xml = `<domainsnapshot><name>more</name><state>shutoff</state><creationTime>1</creationTime></domainsnapshot>`;
    const bytes = new TextEncoder().encode(xml);
    const flags = { isCurrent: false, isDiskOnly: false };
    for (const work of [take(node, uuid), redefineSnapshot(node, uuid, { bytes, flags })]) {
      const error = await errorOf(work);
      expect([error.message, error.libvirt.name]).toEqual([
        `Cannot store the snapshot more: the domain has ${MOST} snapshots, the most in a list of libvirt's clients`,
        "VIR_ERR_OPERATION_UNSUPPORTED",
      ]);
    }
    expect(node.host.listFolder("/var/lib/images")).toEqual(images);
    await deleteSnapshot(node, uuid, { name: "s7", which: "one", isMetadataOnly: true });
    await take(node, uuid);
    expect(readSnapshots(node, uuid).snapshots).toHaveLength(MOST);
  });

  test("still gets one that is not stored, and others in the place of stored ones", async () => {
    const uuid = crypto.randomUUID();
    const node = await nodeWithMost(uuid);
    await redefineSnapshot(node, uuid, {
      bytes: new TextEncoder().encode(stored(MOST - 1).xml),
      flags: { isCurrent: false, isDiskOnly: false },
    });
    await take(node, uuid, false);
    expect(readSnapshots(node, uuid).snapshots).toHaveLength(MOST);
    await deleteSnapshot(node, uuid, { name: "s0", which: "tree", isMetadataOnly: true });
    expect(readSnapshots(node, uuid).snapshots).toEqual([]);
  });
});
