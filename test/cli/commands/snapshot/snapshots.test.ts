import { describe, expect, test } from "bun:test";
import { readSnapshots } from "../../../../src/state/snapshots/snapshots.ts";
import type { Machine } from "../../../memory-host/machine.ts";
import { machineWithChain } from "../../../scenes/block.ts";
import { nodeOn, reapAll, UUID } from "../../../scenes/scene.ts";
import { runOn } from "../../in-memory.ts";

const TEST_MS = 60_000;

const run = (machine: Machine, line: string) => runOn(machine, ...line.split(" "));

/** Returns a machine with this tree: s1 above s2, which is current, and s3. */
async function machineWithTree(): Promise<Machine> {
  const machine = await machineWithChain();
  await run(machine, "snapshot-create-as vm1 s1 --disk-only");
  await run(machine, "snapshot-create-as vm1 s3 --disk-only");
  await run(machine, "snapshot-current vm1 s1");
  await run(machine, "snapshot-create-as vm1 s2 --disk-only");
  return machine;
}

// The layouts are those that virsh 11.3.0 prints for libvirt's driver "test".
describe("snapshots in virsh's words", () => {
  test(
    "are listed as a table, by name and as a tree",
    async () => {
      const machine = await machineWithTree();
      const table = (await run(machine, "snapshot-list vm1 --parent")).out;
      const row = (...[name, parent]: readonly string[]): RegExp =>
        new RegExp(
          `^ ${name}     \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d [+-]\\d{4}   disk-snapshot   ${parent}$`,
        );
      const lines = table.split("\n");
      expect(lines[0]).toBe(" Name   Creation Time               State           Parent");
      expect(lines[2]).toMatch(row("s1", ""));
      expect(lines[3]).toMatch(row("s2", "s1"));
      expect(lines[4]).toMatch(row("s3", "s1"));
      expect((await run(machine, "snapshot-list vm1 --name")).out).toBe("s1\ns2\ns3\n\n");
      expect((await run(machine, "snapshot-list vm1 --tree")).out).toBe(
        "s1\n  |\n  +- s2\n  +- s3\n    \n\n",
      );
      expect((await run(machine, "snapshot-list vm1 --from s1 --name")).out).toBe("s2\ns3\n\n");
    },
    TEST_MS,
  );

  test(
    "are shown, made current, found by their parents and forgotten",
    async () => {
      const machine = await machineWithTree();
      const said = async (line: string) => (await run(machine, line)).out;
      expect(await said("snapshot-current vm1 --name")).toBe("s2\n");
      expect(await said("snapshot-current vm1 s3")).toBe("Snapshot s3 set as current\n");
      expect(await said("snapshot-parent vm1 --current")).toBe("s1\n");
      expect(await said("snapshot-info vm1 s1")).toBe(
        "Name:           s1\nDomain:         vm1\nCurrent:        no\nState:          disk-snapshot\n" +
          "Location:       external\nParent:         -\nChildren:       2\nDescendants:    2\nMetadata:       yes\n\n",
      );
      expect(await said("snapshot-dumpxml vm1 s3")).toStartWith(
        "<domainsnapshot>\n  <name>s3</name>\n  <state>",
      );
      expect(await said("snapshot-delete vm1 s1 --children-only --metadata")).toBe(
        "Domain snapshot s1 children deleted\n\n",
      );
      expect(await said("snapshot-delete vm1 s1 --metadata")).toBe("Domain snapshot s1 deleted\n\n");
      expect(readSnapshots(nodeOn(machine), UUID).snapshots).toEqual([]);
    },
    TEST_MS,
  );

  test.each([
    ["snapshot-info vm1", 2, "--snapshotname or --current is required"],
    ["snapshot-info vm1 s1 --current", 2, "--snapshotname and --current are mutually exclusive"],
    ["snapshot-info vm1 no", 3, "Domain snapshot not found: no domain snapshot with matching name 'no'"],
    ["snapshot-parent vm1 s1", 3, "snapshot 's1' has no parent"],
    ["snapshot-list vm1 --tree --roots", 2, "Options --roots and --tree are mutually exclusive"],
    ["snapshot-list vm1 --descendants", 2, "--descendants requires either --from or --current"],
    ["snapshot-revert vm1 s1", 4, "Requested operation is not valid: domain 'vm1' is running"],
  ])(
    "%s is refused",
    async (line, code, message) => {
      const said = await run(await machineWithTree(), line);
      expect([said.code, said.err.split("\n")[0]]).toEqual([code, `error: ${message}`]);
    },
    TEST_MS,
  );

  // virshParseSnapshotMemspec() of libvirt
  test.each([
    ["file=/a,snapshot=external", "<memory snapshot='external' file='/a'/>"],
    ["/a,,b", "<memory file='/a,b'/>"],
    ["snapshot=no", "<memory snapshot='no'/>"],
  ])("--memspec %s is %s, as virsh sends it", async (spec, xml) => {
    const { out } = await run(
      await machineWithChain(),
      `snapshot-create-as vm1 --memspec ${spec} --print-xml`,
    );
    expect(out).toContain(`\n  ${xml}\n`);
  });

  test.each(["a", "/a,/b", "file=/a,size=1"])("--memspec %s is refused", async (spec) => {
    const said = await run(await machineWithChain(), `snapshot-create-as vm1 --memspec ${spec} --print-xml`);
    expect([said.code, said.err.split("\n")[0]]).toEqual([2, `error: unable to parse memspec: ${spec}`]);
  });

  test(
    "a revert names the image that the domain no longer has",
    async () => {
      const machine = await machineWithTree();
      await run(machine, "destroy vm1");
      await reapAll(machine);
      const said = await run(machine, "snapshot-revert vm1 s1");
      expect([said.code, said.out]).toEqual([0, "Domain snapshot s1 reverted\n\n"]);
      expect(said.err).toBe("warning: /var/lib/images/top.s2 stays: the domain no longer has it\n");
    },
    TEST_MS,
  );
});

// vshCommandOptScaledInt() of libvirt: a number alone is in KiB.
test.each([
  ["8192", 8_388_608],
  ["8M", 8_388_608],
  ["1000B", 1024],
])("blockresize takes %s", async (size, bytes) => {
  const machine = await machineWithChain();
  const said = await run(machine, `blockresize vm1 vda ${size}`);
  expect(said).toEqual({ code: 0, out: "Block device 'vda' is resized\n", err: "" });
  expect([...(machine.processes.qemuOf(UUID)?.devices?.sizes.values() ?? [])]).toEqual([bytes]);
});
