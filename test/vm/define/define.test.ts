import { describe, expect, test } from "bun:test";
import {
  isAutostarted,
  listDefinitionNames,
  readDefinition,
  setAutostart,
} from "../../../src/state/definitions.ts";
import { registryOf } from "../../../src/state/instance.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { undefineDomain } from "../../../src/vm/define/undefine.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { findDomain } from "../../../src/vm/guest/find-domain.ts";
import { getDomainState } from "../../../src/vm/query/domain-state.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { domainXml, errorOf, makeMachine, nodeOn, OTHER, UUID } from "../../scenes/scene.ts";

const STATIC =
  "<seclabel type='static' model='selinux' relabel='yes'><label>system_u:system_r:svirt_t:s0:c2,c1</label></seclabel>";

const withoutUuid = new TextEncoder().encode(
  new TextDecoder().decode(domainXml()).replace(`<uuid>${UUID}</uuid>`, ""),
);

/** Returns definitions, marks and claims in the snapshot. */
function settingsOf(machine: Machine): string[] {
  return snapshot(machine).filter((line) => / \/(?:etc\/svirt|var\/lib\/svirt)\//.test(line));
}

describe("defineDomain()", () => {
  test("stores a domain, under which name, uuid and number find it", async () => {
    const node = nodeOn(makeMachine());
    await defineDomain(node, domainXml());
    expect(findDomain(node, "vm1")).toMatchObject({ name: "vm1", uuid: UUID, guest: undefined });
    expect(findDomain(node, UUID.replaceAll("-", "").toUpperCase()).name).toBe("vm1");
    expect(() => findDomain(node, "1")).toThrow("failed to get domain '1'");
  });

  test("gives a domain without a uuid a new one, and keeps that when it is defined again", async () => {
    const node = nodeOn(makeMachine());
    const first = await defineDomain(node, withoutUuid);
    const second = await defineDomain(node, withoutUuid);
    expect(first.uuid).toMatch(/^[0-9a-f-]{36}$/);
    expect(second.uuid).toBe(first.uuid);
  });

  test("does not show the end of an earlier guest with its UUID, as libvirt's does not", async () => {
    const node = nodeOn(makeMachine());
    const states = [];
    for (const prepare of [
      // A transient guest, then a definition of its UUID.
      async () => {
        await startDomain(node, domainXml());
        await destroyDomain(node, "vm1");
        await defineDomain(node, domainXml());
      },
      // Defined once more: the same domain.
      async () => {
        await startDomain(node, domainXml());
        await destroyDomain(node, "vm1");
        await defineDomain(node, domainXml());
      },
      // Undefined, then defined: a new one.
      async () => {
        await undefineDomain(node, "vm1");
        await defineDomain(node, domainXml());
      },
    ]) {
      await prepare();
      states.push(await getDomainState(node, "vm1"));
    }
    expect(states).toEqual([
      { state: "shut off", reason: "unknown" },
      { state: "shut off", reason: "destroyed" },
      { state: "shut off", reason: "unknown" },
    ]);
  });

  test("makes a number for a generation that has none, and leaves one that has", async () => {
    const node = nodeOn(makeMachine());
    await defineDomain(node, domainXml({ lifecycle: "<genid/>" }));
    const [, made] = /<genid>(.*)<\/genid>/.exec(readDefinition(node, "vm1")?.xml ?? "") ?? [];
    expect(made).toMatch(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    await defineDomain(node, domainXml({ lifecycle: `<genid>${OTHER}</genid>` }));
    expect(readDefinition(node, "vm1")?.xml).toContain(`<genid>${OTHER}</genid>`);
  });

  test("stores no words for QEMU that svirt does not understand, and starts none", async () => {
    const raw =
      "<qemu:commandline xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'><qemu:arg value='-S'/></qemu:commandline>";
    const node = nodeOn(makeMachine());
    const refusal = "Cannot read /domain/qemu:commandline: it gives QEMU arguments";
    expect((await errorOf(defineDomain(node, domainXml({ lifecycle: raw })))).message).toStartWith(refusal);
    expect((await errorOf(startDomain(node, domainXml({ lifecycle: raw })))).message).toStartWith(refusal);
    expect(listDefinitionNames(node)).toEqual([]);
  });

  test("stores no password of a display, and starts none with it", async () => {
    const node = nodeOn(makeMachine());
    const devices = "<graphics type='vnc' passwd='abc'/>";
    const refusal = "Cannot read /domain/devices/graphics[1]/@passwd: svirt stores no passwords";
    expect((await errorOf(defineDomain(node, domainXml({ devices })))).message).toStartWith(refusal);
    expect((await errorOf(startDomain(node, domainXml({ devices })))).message).toStartWith(refusal);
    expect(listDefinitionNames(node)).toEqual([]);
  });

  test("replaces a domain of the same name and uuid, and leaves one definition", async () => {
    const node = nodeOn(makeMachine());
    await defineDomain(node, domainXml());
    await defineDomain(node, domainXml({ lifecycle: "<on_crash>restart</on_crash>" }));
    expect(listDefinitionNames(node)).toEqual(["vm1"]);
    expect(readDefinition(node, "vm1")?.xml).toContain("<on_crash>restart</on_crash>");
  });

  test.each([
    ["the name with another uuid", { name: "vm1", uuid: OTHER }],
    ["the uuid with another name", { name: "vm2", uuid: UUID }],
  ])("refuses %s, in libvirt's words, and changes nothing", async (_, options) => {
    const machine = makeMachine();
    await defineDomain(nodeOn(machine), domainXml());
    const before = snapshot(machine);
    const error = await errorOf(defineDomain(nodeOn(machine), domainXml(options)));
    expect(error.message).toBe(`operation failed: domain 'vm1' already exists with uuid ${UUID}`);
    expect(snapshot(machine)).toEqual(before);
  });

  test("refuses the name of a guest that only runs", async () => {
    const machine = makeMachine();
    await startDomain(nodeOn(machine), domainXml());
    const error = await errorOf(defineDomain(nodeOn(machine), domainXml({ name: "vm1", uuid: OTHER })));
    expect(error.message).toContain("already exists");
  });

  test("keeps a static label's level from dynamic guests, and gives it free when the label changes", async () => {
    const node = nodeOn(makeMachine());
    await defineDomain(node, domainXml({ seclabel: STATIC }));
    // The kernel writes the lower category first.
    expect(registryOf(node).isTaken("static", "s0:c1,c2")).toBe(true);
    await defineDomain(node, domainXml({ seclabel: STATIC.replace("c2,c1", "c3,c4") }));
    expect(registryOf(node).listAll()).toEqual([{ kind: "static", key: "s0:c3,c4", owner: UUID }]);
    await defineDomain(node, domainXml());
    expect(registryOf(node).listAll()).toEqual([]);
  });
});

test("a level that a definition names is never free, wherever a define or an undefine is killed", async () => {
  const other = STATIC.replace("c2,c1", "c3,c4");
  const works = [
    (node: ReturnType<typeof nodeOn>) => defineDomain(node, domainXml({ seclabel: other })),
    (node: ReturnType<typeof nodeOn>) => undefineDomain(node, "vm1"),
  ];
  for (const work of works) {
    for (let at = 1, done = false; !done; at += 1) {
      const machine = makeMachine();
      await defineDomain(nodeOn(machine), domainXml({ seclabel: STATIC }));
      const struck = nodeOn(machine, { at, moment: "before", how: "crash" });
      await work(struck).catch(() => undefined);
      done = !struck.svirt.isDead;
      const xml = readDefinition(nodeOn(machine), "vm1")?.xml ?? "";
      for (const [label, range] of [
        ["c2,c1", "s0:c1,c2"],
        ["c3,c4", "s0:c3,c4"],
      ] as const) {
        if (xml.includes(label))
          expect([at, registryOf(nodeOn(machine)).isTaken("static", range)]).toEqual([at, true]);
      }
    }
  }
});

describe("undefineDomain()", () => {
  test("forgets the definition that is there by then, and the level that it names", async () => {
    const machine = makeMachine();
    const [node, other] = [nodeOn(machine), nodeOn(machine)];
    await defineDomain(node, domainXml({ seclabel: STATIC }));
    const defined = defineDomain(other, domainXml({ seclabel: STATIC.replace("c2,c1", "c4,c3") }));
    // Both begin at once, and the undefine waits for the define.
    await Promise.all([defined, undefineDomain(node, "vm1")]);
    expect(registryOf(node).listKeys("static")).toEqual([]);
    expect(listDefinitionNames(node)).toEqual([]);
  });

  test("leaves nothing of a definition: no mark, no level", async () => {
    const machine = makeMachine();
    const node = nodeOn(machine);
    await defineDomain(node, domainXml({ seclabel: STATIC }));
    setAutostart(node, "vm1", { when: "always", wanted: true });
    expect(isAutostarted(node, "vm1")).toBe(true);
    await undefineDomain(node, "vm1");
    expect(
      settingsOf(machine).filter((line) => line.includes(" file ") || line.includes(" symlink ")),
    ).toEqual([]);
  });

  test("is marked for the boot once: a second mark would replace the first, which a kill could lose", async () => {
    const machine = makeMachine();
    await defineDomain(nodeOn(machine), domainXml());
    setAutostart(nodeOn(machine), "vm1", { when: "always", wanted: true });
    const again = nodeOn(machine);
    setAutostart(again, "vm1", { when: "always", wanted: true });
    expect(again.svirt.changes).not.toContain("makeSymlink");
    expect(isAutostarted(again, "vm1")).toBe(true);
  });

  test("lets a running guest go on, which then only runs", async () => {
    const machine = makeMachine();
    const node = nodeOn(machine);
    await defineDomain(node, domainXml());
    await startDomain(node, domainXml());
    await undefineDomain(node, "vm1");
    expect(machine.processes.qemuOf(UUID)?.status).toBe("running");
    expect(findDomain(node, "vm1").definition).toBeUndefined();
    expect((await errorOf(undefineDomain(node, "vm1"))).kind).toBe("wrong-state");
  });
});
