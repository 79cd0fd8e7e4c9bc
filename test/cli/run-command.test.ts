import { describe, expect, test } from "bun:test";
import { COMMANDS } from "../../src/cli/commands.ts";
import { type Machine, snapshot } from "../memory-host/machine.ts";
import { ALL_KINDS, domainXml, makeMachine, reapAll, UUID } from "../scenes/scene.ts";
import { endUnseen } from "../scenes/strikes.ts";
import { runOn } from "./in-memory.ts";

function withXml(options: Parameters<typeof domainXml>[0]): Machine {
  const machine = makeMachine();
  machine.files.put("/vm.xml", "file", { bytes: domainXml(options) });
  return machine;
}

describe("a life of a domain, by svirt's commands", () => {
  test("is told in virsh's words and leaves the machine as it was", async () => {
    const machine = withXml({ disks: ALL_KINDS });
    expect(await runOn(machine, "define", "/vm.xml")).toEqual({
      code: 0,
      out: "Domain 'vm1' defined from /vm.xml\n\n",
      err: "",
    });
    const defined = snapshot(machine);
    expect((await runOn(machine, "start", "vm1")).out).toBe("Domain 'vm1' started\n\n");
    expect((await runOn(machine, "list")).out).toBe(
      [" Id   Name   State", "----------------------", " 1    vm1    running", "", ""].join("\n"),
    );
    expect((await runOn(machine, "domstate", "vm1", "--reason")).out).toBe("running (booted)\n\n");
    expect((await runOn(machine, "domuuid", "vm1")).out).toBe(`${UUID}\n\n`);
    expect((await runOn(machine, "suspend", "vm1")).out).toBe("Domain 'vm1' suspended\n\n");
    expect((await runOn(machine, "domstate", "vm1")).out).toBe("paused\n\n");
    expect((await runOn(machine, "resume", "vm1")).out).toBe("Domain 'vm1' resumed\n\n");
    expect((await runOn(machine, "destroy", "vm1")).out).toBe("Domain 'vm1' destroyed\n\n");
    await reapAll(machine);
    expect((await runOn(machine, "domstate", "vm1", "--reason")).out).toBe("shut off (destroyed)\n\n");
    expect((await runOn(machine, "domid", "vm1")).out).toBe("-\n\n");
    expect(snapshot(machine)).toEqual(defined);
    expect((await runOn(machine, "undefine", "vm1")).out).toBe("Domain 'vm1' has been undefined\n\n");
  });

  test("lists those that are off after those that run, without regard to case", async () => {
    const machine = withXml({ name: "vm-one" });
    await runOn(machine, "create", "/vm.xml");
    for (const [at, name] of ["beta", "Alpha"].entries()) {
      const uuid = `22222222-2222-4333-8444-00000000000${at}`;
      machine.files.put("/other.xml", "file", { bytes: domainXml({ name, uuid }) });
      await runOn(machine, "define", "/other.xml");
    }
    expect((await runOn(machine, "list", "--all", "--name")).out.trim().split("\n")).toEqual([
      "vm-one",
      "Alpha",
      "beta",
    ]);
  });

  test("lists uuids, ids and names beside each other as virsh does; ids alone of those that run", async () => {
    const machine = withXml({ name: "vm-one" });
    await runOn(machine, "create", "/vm.xml");
    const other = "22222222-2222-4333-8444-000000000001";
    machine.files.put("/other.xml", "file", { bytes: domainXml({ name: "off", uuid: other }) });
    await runOn(machine, "define", "/other.xml");
    const listed = async (...options: string[]) => (await runOn(machine, "list", ...options)).out;
    expect(await listed("--all", "--name", "--uuid")).toBe(`${UUID} vm-one\n${other} off\n`);
    expect(await listed("--all", "--name", "--id")).toBe("1 vm-one\n- off\n");
    expect(await listed("--all", "--id")).toBe("1\n");
    expect(await listed("--inactive", "--all", "--name")).toBe("vm-one\noff\n");
    expect(await listed("--inactive", "--name")).toBe("off\n");
  });

  test("gives dumpxml and QEMU's answers as JSON too", async () => {
    const machine = withXml({ disks: ALL_KINDS });
    await runOn(machine, "define", "/vm.xml");
    const off = JSON.parse((await runOn(machine, "dumpxml", "vm1", "--json")).out);
    expect(off).toMatchObject({ name: "vm1", uuid: UUID, isLive: false });
    await runOn(machine, "start", "vm1");
    const { out } = await runOn(machine, "dumpxml", "vm1");
    const live = JSON.parse((await runOn(machine, "dumpxml", "vm1", "--json")).out);
    expect([live.isLive, `${live.xml}\n`]).toEqual([true, out]);
    const inactive = JSON.parse((await runOn(machine, "dumpxml", "vm1", "--json", "--inactive")).out);
    expect(inactive).toEqual(off);
    const status = await runOn(machine, "qemu-monitor-command", "vm1", "query-status", "--json");
    expect(JSON.parse(status.out)).toEqual({ return: { running: true, status: "running" } });
  });

  test("shows the labels of a running guest in dumpxml, and no labels in its definition", async () => {
    const machine = withXml({ disks: ALL_KINDS });
    await runOn(machine, "create", "/vm.xml");
    const label = machine.processes.qemuOf(UUID)?.context ?? "none";
    const { out } = await runOn(machine, "dumpxml", "vm1");
    expect(out).toContain(`<label>${label}</label>`);
    expect(out).toContain(
      `<imagelabel>${label.replace("system_r:svirt_t", "object_r:svirt_image_t")}</imagelabel>`,
    );
    expect((await runOn(machine, "dumpxml", "vm1", "--inactive")).out).not.toContain("label>");
  });
});

describe("a permissive node", () => {
  const withMode = (cmdline: string): Machine => {
    const machine = withXml({});
    machine.selinux = { mode: "permissive", policyName: "svirt" };
    machine.files.put("/proc/cmdline", "file", { bytes: new TextEncoder().encode(`${cmdline}\n`) });
    return machine;
  };

  test.each([
    ["quiet enforcing=0 selinux=1", ", as set by enforcing=0 on the kernel's command line"],
    ["quiet enforcing=1", ""],
  ])("booted with %s is told of by list and start, and fails in doctor", async (cmdline, why) => {
    const machine = withMode(cmdline);
    const warning = `permissive${why}: guests are labelled, but nothing is enforced`;
    expect(await runOn(machine, "list", "--name")).toEqual({
      code: 0,
      out: "",
      err: `warning: SELinux is ${warning}\n`,
    });
    const doctor = await runOn(machine, "doctor");
    expect([doctor.code, doctor.out]).toEqual([
      1,
      expect.stringContaining(`failed  SELinux                ${warning}\n`),
    ]);
    await runOn(machine, "define", "/vm.xml");
    expect((await runOn(machine, "start", "vm1")).err).toContain("warning: SELinux is permissive");
  });
});

describe("errors", () => {
  test.each([
    [["nonsense"], 2, "error: unknown command: 'nonsense'"],
    [["dominfo"], 2, "error: command 'dominfo' requires <domain> option"],
    [["dominfo", "nosuch"], 3, "error: failed to get domain 'nosuch'\n"],
    [["reboot", "vm1"], 4, "is not running"],
    [["suspend", "vm1"], 4, "is not running"],
    [["define", "/nosuch.xml"], 1, "/nosuch.xml"],
    [["reap", "../../../etc/x"], 2, "Cannot reap '../../../etc/x': it is not a UUID"],
    [["reap", "vm1"], 2, "it is not a UUID"],
  ] as const)("of %j give exit code %i and say %s", async (words, code, message) => {
    const machine = withXml({});
    await runOn(machine, "define", "/vm.xml");
    const before = snapshot(machine);
    const said = await runOn(machine, ...words);
    expect([said.code, said.out]).toEqual([code, ""]);
    expect(said.err).toContain(message);
    expect(snapshot(machine)).toEqual(before);
  });

  test("are one line, whatever words come from outside", async () => {
    const { err } = await runOn(makeMachine(), "dominfo", "a\nb\x1b[31m");
    expect(err.split("\n").filter((line) => line.startsWith("error:"))).toEqual([
      "error: failed to get domain 'a b?[31m'",
    ]);
  });
});

test("destroy, shutdown and start say so when there is nothing to do, and succeed", async () => {
  const machine = withXml({});
  await runOn(machine, "define", "/vm.xml");
  for (const end of ["destroy", "shutdown"]) {
    expect(await runOn(machine, end, "vm1")).toEqual({
      code: 0,
      out: "Domain 'vm1' is not running\n\n",
      err: "",
    });
  }
  await runOn(machine, "start", "vm1");
  expect((await runOn(machine, "start", "vm1")).code).toBe(0);
});

test("plan of a guest that runs has no steps for a start, and for its end those that it was given", async () => {
  const machine = withXml({ disks: ALL_KINDS });
  await runOn(machine, "define", "/vm.xml");
  const { out: stop } = await runOn(machine, "plan", "vm1", "--stop");
  await runOn(machine, "start", "vm1");
  for (const key of ["vm1", UUID, "/vm.xml"]) {
    expect((await runOn(machine, "plan", key)).out).toBe("Domain 'vm1' is already active\n\n");
    expect((await runOn(machine, "plan", key, "--json")).out).toBe("[]\n");
    expect((await runOn(machine, "plan", key, "--stop")).out).toBe(stop);
  }
});

test("plan shows every step of a start and changes nothing", async () => {
  const machine = withXml({
    disks: ALL_KINDS,
    devices: "<serial type='file'><source path='/var/lib/images/vm1-console.log'/></serial>",
  });
  await runOn(machine, "define", "/vm.xml");
  const before = snapshot(machine);
  const { code, out } = await runOn(machine, "plan", "vm1");
  expect(code).toBe(0);
  expect(out).toContain(
    "label /var/lib/images/top.qcow2: system_u:object_r:qemu_image_t:s0 -> system_u:object_r:svirt_image_t:s0:c",
  );
  expect(snapshot(machine)).toEqual(before);
});

test("plan of a command recovers as that command does: nothing before reap, the ended guest before others", async () => {
  const machine = withXml({ disks: ALL_KINDS });
  await runOn(machine, "define", "/vm.xml");
  await runOn(machine, "start", "vm1");
  const { out: stop } = await runOn(machine, "plan", "vm1", "--stop");
  endUnseen(machine);
  const before = snapshot(machine);
  expect(await runOn(machine, "plan", "reap", UUID)).toEqual({ code: 0, out: stop, err: "" });
  expect(snapshot(machine)).toEqual(before);
  expect((await runOn(machine, "plan", "autostart", "vm1")).code).toBe(0);
  const none = { code: 0, out: "No step is needed\n\n", err: "" };
  expect(await runOn(machine, "plan", "reap", UUID)).toEqual(none);
});

test("plan of a command of two words prints its change and does not make it", async () => {
  const machine = withXml({ disks: ALL_KINDS });
  const before = snapshot(machine);
  const words = ["label", "set", "/var/lib/images/top.qcow2", "system_u:object_r:virt_content_t:s0"];
  const { code, out } = await runOn(machine, "plan", ...words);
  expect([code, out]).toEqual([
    0,
    "/var/lib/images/top.qcow2 would be relabelled from system_u:object_r:qemu_image_t:s0 to system_u:object_r:virt_content_t:s0\n",
  ]);
  expect(snapshot(machine)).toEqual(before);
});

test("every command explains itself, and the overview names each", async () => {
  const { out } = await runOn(makeMachine(), "help");
  for (const name of COMMANDS.keys()) {
    const help = await runOn(makeMachine(), name, "--help");
    expect([help.code, help.err]).toEqual([0, ""]);
    expect(help.out).toContain(`svirt ${name}`);
    expect(out).toContain(`    ${name} `);
  }
});
