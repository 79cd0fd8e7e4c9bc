import { describe, expect, test } from "bun:test";
import { isAutostarted, listDefinitionNames, readDefinition } from "../../../src/state/definitions.ts";
import { writeSnapshots } from "../../../src/state/snapshots/snapshots.ts";
import { markAutostart } from "../../../src/vm/define/autostart.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { renameDomain } from "../../../src/vm/define/rename-domain.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { findDomain } from "../../../src/vm/guest/find-domain.ts";
import { recoverBefore } from "../../../src/vm/recover/recover-before.ts";
import { managedSaveDomain } from "../../../src/vm/save/save-domain.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import {
  domainXml,
  errorOf,
  makeMachine,
  nodeOn,
  OTHER,
  putText,
  reapAll,
  UUID,
} from "../../scenes/scene.ts";
import { beStruck, instantsOf, type Work } from "../../scenes/strikes.ts";

const rename: Work = (node) => renameDomain(node, "vm1", "new");

async function marked(): Promise<Machine> {
  const machine = makeMachine();
  await defineDomain(nodeOn(machine), domainXml());
  for (const when of ["always", "once"] as const)
    markAutostart(nodeOn(machine), "vm1", { when, wanted: true });
  return machine;
}

/**
 * Returns the names of definitions, each with whether it has both marks for a start at boot, and the name in
 * its XML.
 */
function namesOn(machine: Machine): string[] {
  const node = nodeOn(machine);
  return listDefinitionNames(node).map((name) => {
    const inside = /<name>(.*)<\/name>/.exec(readDefinition(node, name)?.xml ?? "")?.[1];
    const isMarked = isAutostarted(node, name) && isAutostarted(node, name, "once");
    return `${name} ${isMarked ? "starts" : "stays off"} as ${inside}`;
  });
}

describe("renameDomain()", () => {
  test("keeps all but the name: UUID, XML and autostart", async () => {
    const machine = await marked();
    const before = readDefinition(nodeOn(machine), "vm1")?.xml ?? "";
    await rename(nodeOn(machine));
    expect(namesOn(machine)).toEqual(["new starts as new"]);
    expect(findDomain(nodeOn(machine), UUID)).toMatchObject({
      name: "new",
      definition: { xml: before.replace("<name>vm1<", "<name>new<") },
    });
    expect(() => findDomain(nodeOn(machine), "vm1")).toThrow("failed to get domain 'vm1'");
  });

  test("refuses a domain with snapshots, whose XML has its name", async () => {
    const machine = await marked();
    const one = { name: "s1", state: "shutoff", createdAt: 1, isExternal: true, xml: "<domainsnapshot/>" };
    writeSnapshots(nodeOn(machine), UUID, { current: "s1", snapshots: [one] });
    const before = snapshot(machine);
    const { kind, message } = await errorOf(rename(nodeOn(machine)));
    expect([kind, message]).toEqual([
      "wrong-state",
      "Requested operation is not valid: cannot rename domain with snapshots",
    ]);
    expect(snapshot(machine)).toEqual(before);
  });

  test("keeps the path of UEFI variables, which has the old name", async () => {
    const machine = makeMachine();
    const xml = new TextDecoder().decode(domainXml());
    const os =
      "<os><type>hvm</type><loader readonly='yes' type='pflash'>/usr/share/OVMF/OVMF_CODE_4M.fd</loader></os><features><acpi/></features>";
    await defineDomain(
      nodeOn(machine),
      new TextEncoder().encode(xml.replace("<os><type>hvm</type></os>", os)),
    );
    const path = /<nvram[^>]*>(.*)<\/nvram>/.exec(readDefinition(nodeOn(machine), "vm1")?.xml ?? "")?.[1];
    expect(path).toContain("vm1_VARS");
    await rename(nodeOn(machine));
    expect(readDefinition(nodeOn(machine), "new")?.xml).toContain(`>${path}</nvram>`);
  });

  test("lets the domain start under the new name", async () => {
    const machine = await marked();
    await rename(nodeOn(machine));
    await startDomain(nodeOn(machine), new TextEncoder().encode(readDefinition(nodeOn(machine), "new")?.xml));
    expect(findDomain(nodeOn(machine), "new").guest?.name).toBe("new");
    expect(await errorOf(renameDomain(nodeOn(machine), "new", "vm1"))).toMatchObject({
      message: "Requested operation is not valid: cannot rename active domain",
    });
  });

  // qemuDomainRename() and virDomainObjListRename() of libvirt
  test.each<[string, string, string, number]>([
    ["its own name", "vm1", "Requested operation is not valid: Can't rename domain to itself", 55],
    [
      "another domain's",
      "vm2",
      "Requested operation is not valid: domain with name 'vm2' already exists",
      55,
    ],
    [
      "a transient guest's",
      "vm3",
      "Requested operation is not valid: domain with name 'vm3' already exists",
      55,
    ],
    ["a path", "../vm1", "XML error: name ../vm1 cannot contain '/'", 27],
    ["a name that is none", "a\nb", 'XML error: "a\\nb" is not a name of 1 to 200 bytes', 27],
  ])("refuses %s, and changes nothing", async (...[, name, message, code]) => {
    const machine = await marked();
    await defineDomain(nodeOn(machine), domainXml({ name: "vm2", uuid: OTHER }));
    await startDomain(nodeOn(machine), domainXml({ name: "vm3", uuid: OTHER.replace("9999", "8888") }));
    const before = snapshot(machine);
    const error = await errorOf(renameDomain(nodeOn(machine), "vm1", name));
    expect([error.message.startsWith(message), error.libvirt.code]).toEqual([true, code]);
    expect(snapshot(machine)).toEqual(before);
  });

  test("refuses a transient guest, and a domain with a managed save", async () => {
    const machine = makeMachine();
    await startDomain(nodeOn(machine), domainXml());
    expect((await errorOf(rename(nodeOn(machine)))).message).toContain("cannot rename active domain");
    await destroyDomain(nodeOn(machine), "vm1");
    await defineDomain(nodeOn(machine), domainXml());
    await startDomain(nodeOn(machine), domainXml());
    await managedSaveDomain(nodeOn(machine), "vm1", { resumes: undefined });
    await reapAll(machine);
    expect((await errorOf(rename(nodeOn(machine)))).message).toBe(
      "Requested operation is not valid: domain with a managed saved state can't be renamed",
    );
  });
});

describe("renameDomain() struck before, within and after every call that changes something", () => {
  test.each(["crash", "fail"] as const)("by a %s has been done or not after the next call", async (how) => {
    const instants = await instantsOf(marked, rename);
    expect(instants.length).toBeGreaterThan(12);
    const seen = new Set<string>();
    for (const strike of instants) {
      const machine = await marked();
      await beStruck(machine, rename, { ...strike, how });
      const { errors } = await recoverBefore(nodeOn(machine), "all");
      expect(errors).toEqual([]);
      const [only, ...others] = namesOn(machine);
      expect(others).toEqual([]);
      expect(["vm1 starts as vm1", "new starts as new"]).toContain(only ?? "");
      expect(nodeOn(machine).host.listFolder("/etc/svirt/changes")).toEqual([]);
      seen.add(only ?? "");
      if (only === "vm1 starts as vm1") await rename(nodeOn(machine));
      expect(namesOn(machine)).toEqual(["new starts as new"]);
    }
    expect(seen.size).toBe(2);
  });

  test("by a crash leaves a guest that was started meanwhile its name", async () => {
    for (const strike of await instantsOf(marked, rename)) {
      const machine = await marked();
      await beStruck(machine, rename, strike);
      if (readDefinition(nodeOn(machine), "vm1") === undefined) continue;
      await startDomain(nodeOn(machine), domainXml()).catch(() => undefined);
      if (findDomain(nodeOn(machine), UUID).guest?.name !== "vm1") continue;
      await recoverBefore(nodeOn(machine), "all");
      expect(namesOn(machine)).toEqual(["vm1 starts as vm1"]);
    }
  });

  test("a damaged record of it is reported by each call, which then goes on", async () => {
    const machine = await marked();
    const path = `/etc/svirt/changes/domain-${UUID}.json`;
    putText(machine, path, "{");
    const { errors } = await recoverBefore(nodeOn(machine), "all");
    expect(errors.map(({ message }) => message)).toEqual([
      `Cannot read the record of a change ${path}: it is damaged`,
    ]);
  });
});
