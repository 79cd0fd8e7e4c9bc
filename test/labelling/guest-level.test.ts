import { describe, expect, test } from "bun:test";
import { SvirtError } from "../../src/errors.ts";
import type { LevelAllocator, LevelRequest } from "../../src/registry/level-allocator.ts";
import type { Instance } from "../../src/state/instance.ts";
import { withRegistryLock } from "../../src/state/locks.ts";
import { destroyDomain } from "../../src/vm/end/destroy.ts";
import { planDomainStart, startDomain } from "../../src/vm/start/start.ts";
import { type Machine, snapshot } from "../memory-host/machine.ts";
import { diskXml, domainXml, errorOf, makeMachine, nodeOn, staticLabel, UUID } from "../scenes/scene.ts";

const DISK = "/var/lib/images/private1.raw";
const PAIRS = ["s0:c1,c2", "s0:c3,c4", "s0:c5,c6", "s0:c7,c8", "s0:c9,c10"];

/** Notes of what was asked of a store. */
interface Notes {
  readonly asked: (Pick<LevelRequest, "uuid" | "purpose"> & { readonly refused: readonly string[] })[];
  readonly released: string[];
}

/** A node with a store on the network, which reserves pairs one after another. */
function nodeWithStore(
  machine: Machine,
  more: Partial<LevelAllocator> = {},
): { instance: Instance; notes: Notes } {
  const notes: Notes = { asked: [], released: [] };
  const plain = nodeOn(machine);
  const levels: LevelAllocator = {
    async offer({ purpose, refused, uuid }) {
      notes.asked.push({ uuid, purpose, refused: [...refused] });
      // It may take seconds to answer: others get the registry meanwhile.
      await withRegistryLock(plain, () => Promise.resolve());
      const range = PAIRS.find((pair) => !refused.has(pair)) ?? "";
      const release = async (): Promise<void> => {
        await withRegistryLock(plain, () => Promise.resolve());
        notes.released.push(range);
      };
      return { by: "store", range, release };
    },
    ...more,
  };
  return { instance: { ...plain, levels }, notes };
}

const ASKED = { uuid: UUID, purpose: "start", refused: [] } as const;

function runContainer(machine: Machine, range: string): void {
  machine.processes.add({ command: "containerd", context: `system_u:system_r:container_t:${range}` });
}

describe("with a store of levels", () => {
  test("a guest gets the range that the store reserved, which is asked once and keeps it", async () => {
    const machine = makeMachine();
    const { instance, notes } = nodeWithStore(machine);
    const { guest } = await startDomain(instance, domainXml({ disks: diskXml(DISK, "vda") }));
    expect(guest.label.label).toBe("system_u:system_r:svirt_t:s0:c1,c2");
    expect(guest.label.imageLabel).toEndWith(":s0:c1,c2");
    expect(notes).toEqual({ asked: [ASKED], released: [] });
    await destroyDomain(instance, "vm1");
  });

  test("a range that a process of this host has is released, and the next one taken", async () => {
    const machine = makeMachine();
    runContainer(machine, "s0:c1,c2");
    const { instance, notes } = nodeWithStore(machine);
    const { guest } = await startDomain(instance, domainXml({ disks: diskXml(DISK, "vda") }));
    expect(guest.label.label).toEndWith(":s0:c3,c4");
    expect(notes).toEqual({
      asked: [ASKED, { ...ASKED, refused: ["s0:c1,c2"] }],
      released: ["s0:c1,c2"],
    });
  });

  test("the start fails after four ranges that are in use here, and nothing is changed", async () => {
    const machine = makeMachine();
    for (const pair of PAIRS) runContainer(machine, pair);
    const before = snapshot(machine);
    const { instance, notes } = nodeWithStore(machine);
    const error = await errorOf(startDomain(instance, domainXml({ disks: diskXml(DISK, "vda") })));
    expect([error.kind, error.message]).toEqual([
      "in-use",
      "Cannot choose a level: s0:c7,c8, which is reserved for the guest, is in use on this host",
    ]);
    expect(notes.asked).toHaveLength(4);
    expect(notes.released).toEqual(PAIRS.slice(0, 4));
    expect(snapshot(machine)).toEqual(before);
  });

  test("a store that does not answer fails the start with its words, and nothing is changed", async () => {
    const machine = makeMachine();
    const before = snapshot(machine);
    const offer = (): Promise<never> =>
      Promise.reject(
        new SvirtError("Cannot ask for a level: no answer", { kind: "timeout", remedy: "Wait." }),
      );
    const { instance } = nodeWithStore(machine, { offer });
    const error = await errorOf(startDomain(instance, domainXml({ disks: diskXml(DISK, "vda") })));
    expect([error.kind, error.message]).toEqual(["timeout", "Cannot ask for a level: no answer"]);
    expect(snapshot(machine)).toEqual(before);
  });

  test("a start that fails before its record releases the range once and asks for no other", async () => {
    const { instance, notes } = nodeWithStore(makeMachine());
    await errorOf(startDomain(instance, domainXml({ disks: diskXml("/var/lib/images/none.raw", "vda") })));
    expect(notes).toEqual({ asked: [ASKED], released: ["s0:c1,c2"] });
  });

  test("a start whose QEMU ends at once releases the range once and asks for no other", async () => {
    const machine = makeMachine();
    machine.qemu = { endsAtOnce: { status: 1, says: "no" } };
    const { instance, notes } = nodeWithStore(machine);
    await errorOf(startDomain(instance, domainXml({ disks: diskXml(DISK, "vda") })));
    expect(notes).toEqual({ asked: [ASKED], released: ["s0:c1,c2"] });
  });

  test("an error while the range is released joins the one of the start", async () => {
    const machine = makeMachine();
    const release = (): Promise<never> => Promise.reject(new Error("the store is away"));
    const offer = async () => ({ by: "store", range: "s0:c1,c2", release }) as const;
    const { instance } = nodeWithStore(machine, { offer });
    const disks = diskXml("/var/lib/images/none.raw", "vda");
    const error = await errorOf(startDomain(instance, domainXml({ disks })));
    expect(error.message).toContain("/var/lib/images/none.raw");
    expect(error.message).toEndWith("; then: the store is away");
  });

  test("a plan reserves nothing", async () => {
    const { instance, notes } = nodeWithStore(makeMachine());
    await planDomainStart(instance, domainXml({ disks: diskXml(DISK, "vda") }));
    expect(notes).toEqual({ asked: [{ ...ASKED, purpose: "plan" }], released: [] });
  });

  test("a guest with a static label asks for none", async () => {
    const { instance, notes } = nodeWithStore(makeMachine());
    await startDomain(instance, domainXml({ seclabel: staticLabel("s0:c11,c12") }));
    expect(notes.asked).toEqual([]);
  });

  test("the level that a store asks for is refused where SELinux is off", async () => {
    const machine = makeMachine();
    machine.selinux = { mode: "disabled", policyName: undefined };
    const { instance } = nodeWithStore(machine, {
      async offer({ level }) {
        level();
        throw new Error("the store was asked");
      },
    });
    const error = await errorOf(startDomain(instance, domainXml({})));
    expect(error.message).toBe("Cannot confine the guest: the kernel runs without SELinux");
  });
});
