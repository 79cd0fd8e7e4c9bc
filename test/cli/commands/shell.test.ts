import { describe, expect, test } from "bun:test";
import { useOfCommand } from "../../../src/access/command-uses.ts";
import { mayUse } from "../../../src/access/uses.ts";
import type { CommandSpec } from "../../../src/cli/command.ts";
import { COMMANDS } from "../../../src/cli/commands.ts";
import type { Procedure } from "../../../src/rpc/procedures/procedure.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { diskXml, domainXml, makeMachine } from "../../scenes/scene.ts";
import { runOn } from "../in-memory.ts";

const specs: readonly CommandSpec[] = await Promise.all(
  [...COMMANDS.values()].map(async (load) => (await load()).command.spec),
);

/** Returns a machine with vm1 defined, and the environment that sshd sets for a client's command. */
async function asked(original: string | undefined): Promise<Machine> {
  const machine = makeMachine();
  machine.files.put("/vm.xml", "file", { bytes: domainXml({ disks: diskXml("/disk.raw", "vda") }) });
  await runOn(machine, "define", "/vm.xml");
  const variable = original === undefined ? "" : `SSH_ORIGINAL_COMMAND=${original}\0`;
  const bytes = new TextEncoder().encode(`PATH=/usr/bin\0${variable}HOME=/root\0`);
  machine.files.putFolder("/proc/self", 0o555);
  machine.files.put("/proc/self/environ", "file", { bytes });
  return machine;
}

describe("the use of a command", () => {
  test("names operands and options that the command has", () => {
    const wrong = specs.flatMap(({ name, operands, options }) => {
      const use = useOfCommand(name);
      const known = [...operands, ...options].map((each) => each.name);
      const given = typeof use === "object" ? use.with : [];
      return given
        .map((word) => word.replace(/=.*/, ""))
        .filter((word) => !known.includes(word) && !SHOWN.includes(word))
        .map((word) => [name, word]);
    });
    expect(wrong).toEqual([]);
  });

  test("is a change for all that can be killed or shown beforehand, which only changes can be", () => {
    const drilled = specs.filter(({ options }) =>
      options.some(({ name }) => /^(?:crash-drill|dry-run)$/.test(name)),
    );
    expect(drilled.length).toBeGreaterThan(20);
    const open = drilled.filter(({ name }) => {
      const use = useOfCommand(name);
      return typeof use === "string" && mayUse("read-only", use);
    });
    expect(open).toEqual([]);
  });

  test("must be in the table: a command or a procedure without an entry does not compile", () => {
    // @ts-expect-error
    const spec: CommandSpec = { name: "new", summary: "", operands: [], options: [] };
    // @ts-expect-error
    const fact: Pick<Procedure, "api"> = { api: "virDomainNew" };
    expect([spec.name, fact.api]).toEqual([expect.any(String), expect.any(String)]);
  });
});

/** Options of commands that show the setting they change. Not every command has all of them. */
const SHOWN = ["json", "live", "config", "current"];

describe("svirt shell", () => {
  test.each([
    "svirt list --all",
    "svirt 'domstate' \"vm1\"",
    "svirt dumpxml vm1",
    "svirt domifaddr vm1 --source arp",
    "svirt plan vm1",
    "svirt help",
    "svirt --version",
    "svirt nonsense",
    "svirt",
  ])("--read-only does %s as svirt itself does", async (original) => {
    const machine = await asked(original);
    const words = original
      .split(" ")
      .slice(1)
      .map((word) => word.replace(/['"]/g, ""));
    const said = await runOn(machine, "shell", "--read-only");
    expect(said).toEqual(await runOn(machine, ...words));
  });

  test.each([
    ["svirt start vm1", "svirt start"],
    ["svirt undefine vm1", "svirt undefine"],
    ["svirt console vm1", "svirt console"],
    ["svirt label set /disk.raw system_u:object_r:etc_t:s0", "svirt label set"],
    ["svirt screenshot vm1 /etc/x", "svirt screenshot"],
    ['svirt qemu-monitor-command vm1 \'{"execute":"quit"}\'', "svirt qemu-monitor-command"],
    ["svirt memtune vm1 --hard-limit 1G", "svirt memtune with hard-limit"],
    ["svirt desc vm1 --title new", "svirt desc with new-desc"],
    ["svirt schedinfo vm1 --set cpu_shares=2", "svirt schedinfo with set"],
    ["svirt blockjob vm1 vda --abort", "svirt blockjob with abort"],
    ["svirt domcapabilities", "svirt domcapabilities"],
    ["svirt domxml-to-native qemu-argv --domain vm1", "svirt domxml-to-native"],
    ["svirt save-image-dumpxml /vm1.save", "svirt save-image-dumpxml"],
    ["svirt dumpxml vm1 --security-info", "svirt dumpxml with security-info"],
    ["svirt dumpxml vm1 --migratable", "svirt dumpxml with migratable"],
    ["svirt managedsave-dumpxml vm1 --security-info", "svirt managedsave-dumpxml with security-info"],
    ["svirt snapshot-dumpxml vm1 s --security-info", "svirt snapshot-dumpxml with security-info"],
    ["svirt snapshot-current vm1 --security-info", "svirt snapshot-current with security-info"],
    ["svirt validate /vm.xml", "svirt validate with file"],
    ["svirt explain --file /vm.xml", "svirt explain with file"],
    ["svirt cpu-compare /vm.xml", "svirt cpu-compare with file"],
    ["svirt cpu-baseline /vm.xml", "svirt cpu-baseline with file"],
    ["svirt plan /vm.xml", "svirt plan with domain"],
    ["svirt plan -", "svirt plan with domain"],
    ["svirt plan start vm1", "svirt plan with argument"],
    ["svirt plan desc vm1", "svirt plan with argument"],
    ["svirt plan net-create-default", "svirt net-create-default"],
    ["svirt domifaddr vm1 --source agent", "svirt domifaddr with source"],
  ])("--read-only refuses %s", async (original, what) => {
    const machine = await asked(original);
    const before = snapshot(machine);
    const said = await runOn(machine, "shell", "--read-only");
    expect(said).toMatchObject({ code: 5, out: "" });
    expect(said.err).toStartWith(`error: Cannot run ${what}: this key is read-only\nremedy: `);
    expect(snapshot(machine)).toEqual(before);
  });

  test("--read-only refuses a screen, since who sees it types there too", async () => {
    const said = await runOn(await asked("nc 127.0.0.1 5900"), "shell", "--read-only");
    expect(said).toMatchObject({ code: 5, out: "" });
    expect(said.err).toStartWith("error: Cannot connect to a screen: this key is read-only\nremedy: ");
  });

  test.each(["nc 127.0.0.1 22", "nc -U /run/docker.sock"])(
    "connects to no other place: %s",
    async (original) => {
      const said = await runOn(await asked(original), "shell");
      expect(said).toMatchObject({ code: 5, out: "" });
      expect(said.err).toContain("no running guest has its screen there");
    },
  );

  test("--read-only shows what a command can set, and what a domain is for", async () => {
    const machine = await asked("svirt memtune vm1");
    expect(await runOn(machine, "shell", "--read-only")).toEqual(await runOn(machine, "memtune", "vm1"));
  });

  test("without it changes things", async () => {
    const machine = await asked("svirt desc vm1 'web server'");
    expect((await runOn(machine, "shell")).code).toBe(0);
    expect((await runOn(machine, "desc", "vm1")).out).toContain("web server");
  });

  test.each(["", " --read-only"])("%s lets nobody out into another program or an editor", async (option) => {
    const words = ["shell", ...option.split(" ").filter((word) => word !== "")];
    for (const original of [
      "sh",
      "/usr/bin/svirt list",
      "virsh list",
      "svirt edit vm1",
      "svirt edit vm1 --dry-run",
      "svirt plan edit vm1",
      "svirt plan --json edit vm1",
      "svirt plan edit --domain vm1",
      "svirt plan --domain edit vm1",
      "svirt plan -- net-edit lan",
      "svirt plan pool-edit images --dry-run",
      "svirt plan nwfilter-edit clean --json",
      "svirt shell",
      "sftp-server",
    ]) {
      const machine = await asked(original);
      const before = snapshot(machine);
      machine.edit = () => {
        throw new Error("an editor");
      };
      const said = await runOn(machine, ...words);
      expect(said).toMatchObject({ code: 5, out: "" });
      expect(snapshot(machine)).toEqual(before);
    }
    for (const original of ["svirt list; sh", "svirt list | sh", "svirt desc vm1 $(sh)", "svirt list\nsh"]) {
      expect((await runOn(await asked(original), ...words)).code).toBe(2);
    }
  });

  test.each(["", undefined])("asked for %j says how to ask", async (original) => {
    const said = await runOn(await asked(original), "shell");
    expect([said.code, said.out]).toEqual([2, ""]);
    expect(said.err).toContain("Cannot run a command: the client sent no command");
  });
});
