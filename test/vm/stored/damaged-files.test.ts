import { describe, expect, test } from "bun:test";
import { runOn, type Said } from "../../cli/in-memory.ts";
import { qcow2Bytes } from "../../images/qcow2-bytes.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { snapshot } from "../../memory-host/machine.ts";
import { call, opening, served, text, word } from "../../rpc/remote-client.ts";
import { BRIDGE, LAN_UUID, networkXml } from "../../scenes/networks.ts";
import { poolXml, TARGET } from "../../scenes/pools.ts";
import { diskXml, domainXml, makeMachine, nodeOn, OTHER, putText, UUID } from "../../scenes/scene.ts";
import { SECRET_UUID, secretXml } from "../../scenes/secrets.ts";
import { IMAGES, makePoolMachine } from "../../scenes/volumes.ts";

// A damaged file hides no other object in a list, and protects as much as one that can be read. libvirt skips
// such files with a warning when it loads them: virDomainObjListLoadAllConfigs() and its like.

const BROKEN = {
  domain: "/etc/svirt/domains/broken.xml",
  network: "/etc/svirt/networks/broken.xml",
  filter: "/etc/svirt/nwfilters/broken.xml",
  pool: "/etc/svirt/storage/broken.xml",
  secret: `/etc/svirt/secrets/${OTHER}.xml`,
};
const THIRD = "77777777-2222-4333-8444-000000000007";

/** Returns a machine with an object of each kind, and a damaged one beside it. vm1 runs. */
async function damagedMachine(): Promise<Machine> {
  const machine = makeMachine();
  const given = (name: string, bytes: Uint8Array): void => void machine.files.put(name, "file", { bytes });
  given("/vm1.xml", domainXml());
  given("/vm2.xml", domainXml({ name: "vm2", uuid: THIRD }));
  given("/lan.xml", networkXml(BRIDGE));
  given("/web.xml", Buffer.from("<filter name='web'><rule action='drop' direction='out'/></filter>"));
  given("/images.xml", poolXml());
  given("/secret.xml", secretXml());
  for (const words of ["define /vm1.xml", "define /vm2.xml", "start vm1", "net-define /lan.xml"])
    await said(machine, words);
  for (const words of ["nwfilter-define /web.xml", "pool-define /images.xml", "secret-define /secret.xml"])
    await said(machine, words);
  for (const path of Object.values(BROKEN)) putText(machine, path, "<torn");
  return machine;
}

/** Runs a command that must succeed. */
async function said(machine: Machine, words: string): Promise<Said> {
  const result = await runOn(machine, ...words.split(" "));
  expect([words, result.code, result.code === 0 ? "" : result.err]).toEqual([words, 0, ""]);
  return result;
}

describe("svirt audit", () => {
  const SNAPSHOTS = `/var/lib/svirt/snapshots/${UUID}.json`;

  /** Expects findings about these files, each with a remedy, also as JSON, and exit code 1. */
  async function found(machine: Machine, paths: readonly string[]): Promise<void> {
    const before = snapshot(machine);
    const { code, out } = await runOn(machine, "audit");
    const json = await runOn(machine, "audit", "--json");
    expect([code, json.code, snapshot(machine)]).toEqual([1, 1, before]);
    const all: readonly string[] = JSON.parse(json.out).findings;
    // Of a domain, audit also says that it could not look at its disks.
    const findings = all.filter((finding) => !finding.includes(": its files cannot be inspected: "));
    expect(findings).toHaveLength(paths.length);
    for (const [at, path] of paths.entries()) {
      expect(findings[at]).toMatch(/^Cannot read the [a-z ]*\/\S+: .+; remedy: \S/);
      expect(findings[at]).toContain(path);
    }
    for (const path of paths) expect(out).toContain(path);
  }

  test("names each damaged definition with its remedy", async () => {
    await found(await damagedMachine(), Object.values(BROKEN));
  });

  test("names a file whose UUID can still be read, and the definition of what is active", async () => {
    const machine = await damagedMachine();
    for (const path of Object.values(BROKEN)) machine.files.remove(path);
    await said(machine, "net-start lan");
    const torn = [
      "/etc/svirt/domains/vm2.xml",
      "/etc/svirt/networks/lan.xml",
      "/etc/svirt/nwfilters/web.xml",
      "/etc/svirt/storage/images.xml",
    ];
    for (const path of torn) {
      const text = new TextDecoder().decode(machine.files.get(path).bytes);
      putText(machine, path, text.slice(0, text.indexOf("</uuid>") + 9));
    }
    await found(machine, torn);
  });

  test("names the file of the snapshots", async () => {
    const machine = await damagedMachine();
    for (const path of Object.values(BROKEN)) machine.files.remove(path);
    putText(machine, SNAPSHOTS, "{");
    await found(machine, [SNAPSHOTS]);
    const one = { name: "s1", state: "shutoff", createdAt: 1, isExternal: false, xml: "<torn" };
    putText(machine, SNAPSHOTS, JSON.stringify({ snapshots: [one] }));
    await found(machine, [SNAPSHOTS]);
  });
});

describe("a list with a damaged file", () => {
  test.each([
    ["list --all --uuid --name", [`${UUID} vm1`, `${THIRD} vm2`, "- broken"], BROKEN.domain],
    ["list --all --json", ["vm1", "vm2", "broken"], BROKEN.domain],
    ["domstats --state", ["Domain: 'vm1'", "Domain: 'vm2'"], BROKEN.domain],
    ["net-list --all --json", ["lan", "broken"], BROKEN.network],
    ["nwfilter-list", ["web", "clean-traffic"], BROKEN.filter],
    ["pool-list --all --uuid --name", ["images", "- broken"], BROKEN.pool],
    ["secret-list", [SECRET_UUID], BROKEN.secret],
  ])("svirt %s shows the others, and names the file once with the remedy", async (words, shown, path) => {
    const { err, out } = await said(await damagedMachine(), words);
    for (const one of shown) expect(out).toContain(one);
    expect(err).toMatch(/^warning: Cannot read [^\n]*\nremedy: \S[^\n]*\n$/);
    expect(err).toContain(path);
  });

  test("of a client has the others, and each file is reported once in the connection", async () => {
    const warned: unknown[] = [];
    const lists: readonly [procedure: number, args: string, others: readonly string[]][] = [
      [273, word(1) + word(0), ["vm1", "vm2"]],
      [21, word(10), ["vm2"]],
      [344, word(0) + word(1) + word(0), ["vm1", "vm2"]],
      [281, word(1) + word(0), ["images"]],
      [283, word(1) + word(0), ["lan"]],
      [286, word(1) + word(0), ["web"]],
      [287, word(1) + word(0), [SECRET_UUID]],
    ];
    const packets = [...lists, ...lists].map(([procedure, args]) => call(procedure, args)).join("");
    const node = nodeOn(await damagedMachine());
    const replies = (await served(node, opening() + packets, { warn: (one) => void warned.push(one) })).slice(
      2,
    );
    expect(replies).toHaveLength(lists.length * 2);
    for (const [procedure, , others] of lists) {
      const reply = replies.find((one) => one.procedure === procedure);
      expect([procedure, reply?.status]).toEqual([procedure, 0]);
      for (const other of others)
        expect(reply?.payload).toContain(procedure === 287 ? other.replaceAll("-", "") : text(other));
      expect(reply?.payload).not.toContain(text("broken"));
    }
    const paths = Object.values(BROKEN);
    expect(paths.map((path) => warned.filter((one) => String(one).includes(path)).length)).toEqual([
      1, 1, 1, 1, 1,
    ]);
    expect(warned.every((one) => String(one).includes("; remedy: "))).toBe(true);
  });

  test.each([
    ["dominfo broken", BROKEN.domain],
    ["start broken", BROKEN.domain],
    ["net-info broken", BROKEN.network],
    ["pool-start broken", BROKEN.pool],
    [`secret-dumpxml ${OTHER}`, BROKEN.secret],
  ])("svirt %s fails with the same error", async (words, path) => {
    const { code, err } = await runOn(await damagedMachine(), ...words.split(" "));
    expect([code, err]).toEqual([1, expect.stringContaining(path)]);
    expect(err).toContain("remedy: ");
  });
});

describe("a damaged definition of a domain", () => {
  test("does not keep others from being found and defined by their UUIDs", async () => {
    const machine = await damagedMachine();
    // Sorts before the others, so that it is read first.
    putText(machine, "/etc/svirt/domains/aaa.xml", "<torn");
    await said(machine, `dominfo ${THIRD}`);
    machine.files.put("/vm4.xml", "file", { bytes: domainXml({ name: "vm4", uuid: OTHER }) });
    await said(machine, "define /vm4.xml");
  });

  test("is named if its text has the UUID, and no other domain gets that", async () => {
    const machine = await damagedMachine();
    putText(machine, BROKEN.domain, `<domain><uuid>${OTHER.toUpperCase()}</uuid>`);
    machine.files.put("/vm4.xml", "file", { bytes: domainXml({ name: "vm4", uuid: OTHER }) });
    for (const words of [`dominfo ${OTHER}`, "define /vm4.xml"]) {
      const { code, err } = await runOn(machine, ...words.split(" "));
      expect([words, code, err]).toEqual([words, 1, expect.stringContaining(BROKEN.domain)]);
    }
  });

  test("keeps a start from a file that only an image's header names: it may be that domain's disk", async () => {
    const machine = await damagedMachine();
    machine.files.put("/vm4.xml", "file", {
      bytes: domainXml({ name: "vm4", uuid: OTHER, disks: diskXml("/var/lib/images/own.qcow2", "vda") }),
    });
    machine.files.put("/var/lib/images/own.qcow2", "file", {
      bytes: qcow2Bytes({ backingFile: "base.raw", extensions: [[0xe2792aca, "raw"]] }),
    });
    await said(machine, "define /vm4.xml");
    const before = snapshot(machine);
    const { code, err } = await runOn(machine, "start", "vm4");
    expect([code, err]).toEqual([1, expect.stringContaining(BROKEN.domain)]);
    expect(snapshot(machine)).toEqual(before);
    machine.files.remove(BROKEN.domain);
    await said(machine, "start vm4");
  });
});

describe("a damaged file of an active pool", () => {
  const path = "/run/svirt/storage/broken.xml";
  const uuid = `<pool type='dir'>\n  <name>broken</name>\n  <uuid>${OTHER}</uuid>\n`;

  test.each(["<torn", uuid])(
    "%p keeps volumes from being deleted: one of the pool may need them",
    async (torn) => {
      const machine = makePoolMachine();
      putText(machine, path, torn);
      const { code, err } = await runOn(machine, "vol-delete", `${IMAGES}/private1.raw`);
      expect([code, err]).toEqual([1, expect.stringContaining(`Cannot read the storage pool ${path}: `)]);
      machine.files.remove(path);
      await said(machine, `vol-delete ${IMAGES}/private1.raw`);
    },
  );

  test.each(["<torn", uuid])(
    "%p keeps other pools from being started: it may have their source",
    async (torn) => {
      const machine = makeMachine();
      machine.files.putFolder(TARGET);
      machine.files.put("/images.xml", "file", { bytes: poolXml() });
      await said(machine, "pool-define /images.xml");
      putText(machine, path, torn);
      const { code, err } = await runOn(machine, "pool-start", "images");
      expect([code, err]).toEqual([1, expect.stringContaining(`Cannot read the storage pool ${path}: `)]);
      machine.files.remove(path);
      // Not active: no guest has a volume of it.
      putText(machine, BROKEN.pool, torn);
      await said(machine, "pool-start images");
    },
  );
});

test("a damaged file of an active network keeps others from being started: it may have their bridge", async () => {
  const machine = await damagedMachine();
  const path = "/run/svirt/networks/other.xml";
  putText(machine, path, `<network>\n  <name>other</name>\n  <uuid>${OTHER}</uuid>\n`);
  const own = "<bridge name='virbr7'/><mac address='52:54:00:00:00:aa'/><ip address='10.7.0.1' prefix='24'/>";
  machine.files.put("/own.xml", "file", { bytes: networkXml(own, "own", LAN_UUID) });
  await said(machine, "net-define /own.xml");
  const { code, err } = await runOn(machine, "net-start", "own");
  expect([code, err]).toEqual([1, expect.stringContaining(`Cannot read the network ${path}: `)]);
  machine.files.remove(path);
  await said(machine, "net-start own");
});
