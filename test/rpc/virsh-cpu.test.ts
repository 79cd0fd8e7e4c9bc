// In turn: it takes seconds of a processor.
import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { lackOf, makeFolder, onNewNode, type Said, TEST_MS } from "./client-node.ts";

const ASIDE = lackOf(["virsh"]);
const folder = makeFolder();
const cpu = (model: string): string => `<cpu mode='custom' match='exact'><model>${model}</model></cpu>`;
writeFileSync(join(folder, "qemu64.xml"), cpu("qemu64"));
// QEMU does not emulate AVX-512.
writeFileSync(join(folder, "avx512.xml"), cpu("EPYC-Genoa"));
writeFileSync(join(folder, "both.xml"), `<domain>${cpu("EPYC-Genoa")}</domain>${cpu("qemu64")}`);
writeFileSync(join(folder, "unknown.xml"), "<cpu><model>qemu64</model><colour/></cpu>");

/** Runs calls of virsh on a new node, and the same commands of svirt. */
function virshAndSvirt(...calls: readonly string[]): { readonly virsh: Said[]; readonly svirt: Said[] } {
  const svirt = new URL("../../dist/svirt", import.meta.url).pathname;
  const lines = [...calls.map((words) => `virsh ${words}`), ...calls.map((words) => `${svirt} ${words}`)];
  const said = onNewNode(folder, lines);
  return { virsh: said.slice(0, calls.length), svirt: said.slice(calls.length) };
}

describe.skipIf(ASIDE !== "")(`stock virsh on svirt${ASIDE}`, () => {
  test(
    "compares processors and computes them, in the layout of svirt's own commands",
    () => {
      const { svirt, virsh } = virshAndSvirt(
        "hypervisor-cpu-compare --virttype qemu qemu64.xml",
        "hypervisor-cpu-compare --virttype qemu avx512.xml --validate",
        "hypervisor-cpu-baseline --virttype qemu both.xml",
        "hypervisor-cpu-baseline --virttype qemu --model qemu64 --features --migratable",
        "cpu-baseline both.xml",
      );
      expect(svirt).toEqual(virsh);
      const provided = "provided by hypervisor on the host";
      expect(virsh[0]).toEqual({
        code: 0,
        out: `The CPU ${provided} is a superset of CPU described in qemu64.xml`,
        err: "",
      });
      expect(virsh[1]).toEqual({
        code: 1,
        out: `CPU described in avx512.xml is incompatible with the CPU ${provided}`,
        err: "",
      });
      expect(virsh[2]?.out).toStartWith("<cpu mode='custom' match='exact'>\n  <model fallback='forbid'>");
      expect(virsh[3]?.out).toContain("<feature policy='require' name='sse2'/>");
      expect(virsh[4]?.out).toStartWith("<cpu mode='custom' match='exact'>\n  <model fallback='allow'>");
    },
    TEST_MS,
  );

  test(
    "finds the host's own capabilities identical with KVM, and knows no host without it",
    () => {
      const [hasKvm, , compared] = onNewNode(folder, [
        "test -c /dev/kvm",
        "virsh capabilities >caps.xml",
        "virsh cpu-compare $(test -c /dev/kvm && echo caps.xml || echo qemu64.xml)",
      ]);
      expect(compared).toEqual(
        hasKvm?.code === 0
          ? { code: 0, out: "CPU described in caps.xml is identical to host CPU", err: "" }
          : { code: 1, out: "CPU described in qemu64.xml is incompatible with host CPU", err: "" },
      );
    },
    TEST_MS,
  );

  test(
    "is told why not",
    () => {
      const said = onNewNode(folder, [
        "virsh hypervisor-cpu-compare --virttype qemu avx512.xml --error",
        "virsh hypervisor-cpu-compare --virttype qemu unknown.xml",
        "virsh hypervisor-cpu-baseline --emulator /bin/true qemu64.xml",
        "virsh -r hypervisor-cpu-compare --virttype qemu qemu64.xml",
        "virsh -r hypervisor-cpu-baseline --virttype qemu qemu64.xml",
        "virsh -r cpu-baseline qemu64.xml",
      ]);
      expect(said.map(({ code, err }) => [code, err])).toEqual([
        [
          1,
          expect.stringMatching(
            /the CPU is incompatible with host CPU: Host CPU does not provide required features: .*avx512f/,
          ),
        ],
        [1, expect.stringContaining("/cpu/colour")],
        [
          1,
          expect.stringContaining(
            "Cannot query the processors of /bin/true: it is not the installed emulator",
          ),
        ],
        [1, expect.stringContaining("read only access prevents virConnectCompareHypervisorCPU")],
        [1, expect.stringContaining("read only access prevents virConnectBaselineHypervisorCPU")],
        [0, ""],
      ]);
    },
    TEST_MS,
  );
});
