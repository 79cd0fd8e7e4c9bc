import { describe, expect, test } from "bun:test";
import { putText } from "../../../scenes/scene.ts";
import { machineWithEmulator } from "../../../vm/capabilities/fake-emulator.ts";
import { runOn, type Said } from "../../in-memory.ts";

// Messages and exit codes: cmdCPUCompare(), cmdHypervisorCPUCompare() and cmdCPUBaseline() of libvirt's
// virsh-host.c.

const CPU = (model: string, inside = ""): string =>
  `<cpu mode='custom' match='exact'><model>${model}</model>${inside}</cpu>`;
const INVTSC = "<feature policy='require' name='invtsc'/>";

async function run(words: string, xml = CPU("plain64"), { hasKvm = true } = {}): Promise<Said> {
  const { machine } = machineWithEmulator({ hasKvm });
  putText(machine, "/f.xml", xml);
  return await runOn(machine, ...words.split(" "));
}

describe("svirt cpu-compare", () => {
  test.each([
    ["more", CPU("plain64"), "Host CPU is a superset of CPU described in /f.xml"],
    ["the same", CPU("EPYC", INVTSC), "CPU described in /f.xml is identical to host CPU"],
    ["less", CPU("EPYC-v2"), "CPU described in /f.xml is incompatible with host CPU"],
  ])("tells that the host has %s", async (is, xml, message) => {
    expect(await run("cpu-compare /f.xml", xml)).toEqual({
      code: is === "less" ? 1 : 0,
      out: `${message}\n\n`,
      err: "",
    });
  });

  test("fails by --error with libvirt's reason, and prints it as JSON", async () => {
    const { code, err } = await run("cpu-compare /f.xml --error", CPU("EPYC-v2"));
    const why = "Host CPU does not provide required features: avx";
    expect([code, err]).toEqual([
      1,
      expect.stringContaining(`the CPU is incompatible with host CPU: ${why}`),
    ]);
    const json = await run("cpu-compare /f.xml --json", CPU("EPYC-v2"));
    expect([json.code, JSON.parse(json.out)]).toEqual([1, { result: "incompatible", why }]);
  });

  test("knows no host without KVM, as libvirt", async () => {
    const said = await run("cpu-compare /f.xml --error", CPU("plain64"), { hasKvm: false });
    expect([said.code, said.err]).toEqual([1, expect.stringContaining("unknown host CPU")]);
  });

  test("finds the host's own capabilities identical", async () => {
    const { machine } = machineWithEmulator();
    const { out } = await runOn(machine, "capabilities");
    expect(out).toContain("<model>EPYC</model>");
    expect(out).toContain("<feature name='invtsc'/>\n");
    putText(machine, "/f.xml", out);
    expect((await runOn(machine, "cpu-compare", "/f.xml")).out).toContain("is identical to host CPU");
  });
});

describe("svirt hypervisor-cpu-compare", () => {
  test("compares with what QEMU can give guests of a type", async () => {
    expect(await run("hypervisor-cpu-compare /f.xml", CPU("EPYC"))).toEqual({
      code: 0,
      out: "The CPU provided by hypervisor on the host is a superset of CPU described in /f.xml\n\n",
      err: "",
    });
    expect(await run("hypervisor-cpu-compare /f.xml --virttype qemu --machine q35", CPU("EPYC"))).toEqual({
      code: 1,
      out: "CPU described in /f.xml is incompatible with the CPU provided by hypervisor on the host\n\n",
      err: "",
    });
    const options = "--virttype qemu --arch x86_64 --emulator /usr/bin/qemu-system-x86_64";
    expect((await run(`hypervisor-cpu-compare /f.xml ${options}`)).out).toBe(
      "CPU described in /f.xml is identical to the CPU provided by hypervisor on the host\n\n",
    );
  });

  test.each([
    [
      "--emulator /usr/bin/other",
      "Cannot query the processors of /usr/bin/other: it is not the installed emulator",
    ],
    ["--machine virt", "the machine 'virt' is not supported by emulator '/usr/bin/qemu-system-x86_64'"],
    ["--arch aarch64", "architecture from emulator 'x86_64' doesn't match given architecture 'aarch64'"],
    ["--arch z80", "unknown architecture: z80"],
    ["--virttype xen", "unknown virttype: xen"],
  ])("refuses %s", async (option, message) => {
    for (const name of ["hypervisor-cpu-compare", "hypervisor-cpu-baseline"]) {
      const { err, out } = await run(`${name} /f.xml ${option}`);
      expect([err, out]).toEqual([expect.stringContaining(message), ""]);
    }
  });
});

test("guests of KVM are refused without KVM, also if QEMU had it in this boot", async () => {
  const { machine } = machineWithEmulator();
  putText(machine, "/f.xml", CPU("plain64"));
  const words = ["hypervisor-cpu-compare", "/f.xml", "--virttype", "kvm"] as const;
  expect((await runOn(machine, ...words)).code).toBe(0);
  machine.files.remove("/dev/kvm");
  const { code, err } = await runOn(machine, ...words);
  // virQEMUCapsCacheLookupDefault() of libvirt
  const message = "KVM is not supported by '/usr/bin/qemu-system-x86_64' on this host";
  expect([code, err]).toEqual([2, expect.stringContaining(message)]);
});

describe("svirt cpu-baseline and hypervisor-cpu-baseline", () => {
  const BOTH = `${CPU("EPYC-v2", INVTSC)}${CPU("EPYC", "<feature policy='require' name='avx'/>")}`;

  test("print what several processors share", async () => {
    expect((await run("cpu-baseline /f.xml", BOTH)).out).toBe(
      "<cpu mode='custom' match='exact'>\n  <model fallback='allow'>EPYC-v2</model>\n</cpu>\n\n",
    );
    expect((await run("hypervisor-cpu-baseline /f.xml", BOTH)).out).toBe(
      "<cpu mode='custom' match='exact'>\n  <model fallback='forbid'>EPYC</model>\n</cpu>\n\n",
    );
    expect(
      JSON.parse((await run("hypervisor-cpu-baseline /f.xml --virttype qemu --features --json", BOTH)).out),
    ).toEqual({
      model: "plain64",
      features: ["fpu", "sse2"],
    });
  });

  test("leave out by --migratable what keeps a guest from moving", async () => {
    for (const [option, features] of [
      ["", ["invtsc"]],
      [" --migratable", []],
    ] as const) {
      const { out } = await run(`hypervisor-cpu-baseline /f.xml --json${option}`, CPU("EPYC", INVTSC));
      expect(JSON.parse(out).features).toEqual(features);
    }
  });

  test("take one model instead of a file", async () => {
    expect((await run("hypervisor-cpu-baseline --model EPYC-v2")).out).toContain(">EPYC</model>");
    for (const words of ["hypervisor-cpu-baseline", "hypervisor-cpu-baseline /f.xml --model EPYC"])
      expect((await run(words)).err).toContain("a file or --model is required, and not both");
  });
});
