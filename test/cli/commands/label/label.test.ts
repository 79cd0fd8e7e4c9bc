import { describe, expect, test } from "bun:test";
import { runCommandLine } from "../../../../src/cli/run-command.ts";
import { startDomain } from "../../../../src/vm/start/start.ts";
import { type Machine, snapshot } from "../../../memory-host/machine.ts";
import { diskXml, domainXml, labelOf, makeMachine, nodeOn, ORIGINAL, UUID } from "../../../scenes/scene.ts";
import { addUser } from "../../../scenes/session.ts";

const DISK = "/var/lib/images/private1.raw";
const OTHER = "/var/lib/images/private2.raw";
const DEFAULT = "system_u:object_r:virt_image_t:s0";
const WANTED = "system_u:object_r:wanted_t:s0";
const GONE = "system_u:object_r:svirt_image_t:s0:c7,c9";
const REMEMBERED = "trusted.libvirt.security.selinux";

function machineWithPolicy(): Machine {
  const machine = makeMachine();
  machine.files.putFolder("/etc/selinux/svirt/contexts/files");
  const bytes = new TextEncoder().encode(`/var/lib/images(/.*)?\t${DEFAULT}\n/srv(/.*)?\t<<none>>\n`);
  machine.files.put("/etc/selinux/svirt/contexts/files/file_contexts", "file", { bytes });
  return machine;
}

async function guestOn(machine: Machine): Promise<Machine> {
  await startDomain(nodeOn(machine), domainXml({ disks: diskXml(DISK, "vda") }));
  return machine;
}

async function run(machine: Machine, ...words: readonly string[]) {
  const [out, err]: [string[], string[]] = [[], []];
  const output = {
    print: (text: string) => void out.push(text),
    printSoon: async () => true,
    printBytes: (bytes: Uint8Array) => out.push(new TextDecoder().decode(bytes)) > 0,
    warn: (text: string) => void err.push(text),
  };
  const code = await runCommandLine({ words, instance: nodeOn(machine), output, version: "1.2.3" });
  return { code, out: out.join(""), err: err.join("") };
}

describe("svirt label show", () => {
  test("tells the label, the default and what it will be given back", async () => {
    expect((await run(machineWithPolicy(), "label", "show", DISK)).out).toBe(
      [
        `Path:           ${DISK}`,
        `Label:          ${ORIGINAL}`,
        `Default:        ${DEFAULT}`,
        "Remembered:     -",
        "Used by:        -",
        `Given back:     ${DEFAULT}`,
        "",
        "",
      ].join("\n"),
    );
  });

  test("tells who uses a file, what it remembers and where a symlink leads, in JSON", async () => {
    const machine = await guestOn(machineWithPolicy());
    machine.files.put("/srv-link", "symlink", { target: DISK });
    const { out } = await run(machine, "label", "show", "/srv-link", "--json");
    expect(JSON.parse(out)).toEqual([
      {
        path: DISK,
        label: labelOf(machine, DISK),
        defaultLabel: DEFAULT,
        usedBy: [{ name: "vm1", uuid: UUID, sharing: "exclusive" }],
        remembered: { label: ORIGINAL, by: "svirt" },
        givenBack: ORIGINAL,
        isStale: false,
      },
    ]);
  });

  test("moves no cursor by a name that came from outside", async () => {
    const machine = machineWithPolicy();
    machine.files.put("/var/lib/images/\x1b[2J", "file");
    machine.files.put("/link", "symlink", { target: "/var/lib/images/\x1b[2J" });
    expect((await run(machine, "label", "show", "/link")).out).toStartWith(
      "Path:           /var/lib/images/?[2J\n",
    );
  });

  test("needs no policy", async () => {
    const { code, out } = await run(makeMachine(), "label", "show", DISK);
    expect([code, out]).toEqual([
      0,
      expect.stringContaining(`Label:          ${ORIGINAL}\nDefault:        -`),
    ]);
  });

  test("tells of a label that is left, and does not find what is not there", async () => {
    const machine = machineWithPolicy();
    machine.files.get(DISK).xattrs.set("security.selinux", GONE);
    expect((await run(machine, "label", "show", DISK)).out).toContain(
      `${GONE} (of a guest that does not use it)`,
    );
    expect((await run(machine, "label", "show", "/nowhere")).code).toBe(3);
  });

  test("answers an ordinary user who has not logged in", async () => {
    const machine = machineWithPolicy();
    addUser(machine);
    machine.files.remove("/run/user");
    const { code, out } = await run(machine, "label", "show", DISK);
    expect([code, out]).toEqual([0, expect.stringContaining(`Label:          ${ORIGINAL}\n`)]);
  });

  test("shows the others when one is not there, and says so by its exit code", async () => {
    const said = await run(machineWithPolicy(), "label", "show", "/nowhere", DISK);
    expect([said.code, said.out]).toEqual([7, expect.stringContaining(`Path:           ${DISK}\n`)]);
    expect(said.err).toStartWith("error: Cannot access file '/nowhere'");
  });
});

describe("svirt label set", () => {
  test("gives a file the label and lets it forget what it remembered", async () => {
    const machine = machineWithPolicy();
    machine.files.get(DISK).xattrs.set(REMEMBERED, GONE);
    expect(await run(machine, "label", "set", DISK, WANTED)).toEqual({
      code: 0,
      out: `${DISK} relabelled from ${ORIGINAL} to ${WANTED}\n`,
      err: "",
    });
    expect([...machine.files.get(DISK).xattrs]).toEqual([["security.selinux", WANTED]]);
    expect((await run(machine, "label", "set", DISK, WANTED)).out).toBe(`${DISK} already has ${WANTED}\n`);
  });

  test.each(["-n", "--dry-run"])("only says what it would do with %s", async (option) => {
    const machine = machineWithPolicy();
    machine.files.get(DISK).xattrs.set(REMEMBERED, GONE);
    const before = snapshot(machine);
    expect((await run(machine, "label", "set", option, DISK, WANTED)).out).toBe(
      `${DISK} would be relabelled from ${ORIGINAL} to ${WANTED}\n`,
    );
    expect(snapshot(machine)).toEqual(before);
  });

  test.each([
    {
      what: "a word that is no context",
      path: DISK,
      context: "wanted_t",
      code: 2,
      says: "not user:role:type",
    },
    {
      what: "a context that policy does not know",
      path: DISK,
      context: "a:b:unknown_t:s0",
      code: 5,
      says: "does not define",
    },
    { what: "a file of the host", path: "/etc/svirt", context: WANTED, code: 5, says: "belongs to the host" },
    { what: "a symlink to one", path: "/link", context: WANTED, code: 5, says: "belongs to the host" },
    {
      what: "what is not there",
      path: "/nowhere",
      context: WANTED,
      code: 3,
      says: "No such file or directory",
    },
  ])("refuses $what", async ({ code, context, path, says }) => {
    const machine = machineWithPolicy();
    machine.files.put("/link", "symlink", { target: "/etc/svirt" });
    const before = snapshot(machine);
    const said = await run(machine, "label", "set", path, context);
    expect([said.code, said.out]).toEqual([code, ""]);
    expect(said.err).toContain(says);
    expect(snapshot(machine)).toEqual(before);
  });

  test.each(["set", "restore"])("svirt label %s leaves alone what a running guest uses", async (act) => {
    const machine = await guestOn(machineWithPolicy());
    const before = snapshot(machine);
    const said = await run(machine, "label", act, DISK, ...(act === "set" ? [WANTED] : []));
    expect([said.code, said.err]).toEqual([
      5,
      `error: Cannot label ${DISK}: the guest vm1 uses that file\nremedy: Stop that guest: svirt shutdown vm1\n`,
    ]);
    expect(snapshot(machine)).toEqual(before);
  });

  test("refuses anybody but root, who cannot take the registry's lock", async () => {
    const machine = machineWithPolicy();
    addUser(machine);
    const said = await run(machine, "label", "set", DISK, WANTED);
    expect([said.code, said.err]).toEqual([5, expect.stringContaining("only root can")]);
    expect(labelOf(machine, DISK)).toBe(ORIGINAL);
  });

  test("leaves alone what libvirt holds for its guests", async () => {
    const machine = machineWithPolicy();
    const { xattrs } = machine.files.get(DISK);
    xattrs.set(REMEMBERED, ORIGINAL);
    xattrs.set("trusted.libvirt.security.ref_selinux", "1");
    xattrs.set("trusted.libvirt.security.timestamp_selinux", String(machine.bootSeconds));
    const said = await run(machine, "label", "set", DISK, WANTED);
    expect([said.code, said.err]).toEqual([
      5,
      expect.stringContaining("libvirt uses it for 1 of its guests"),
    ]);
  });
});

describe("svirt label restore", () => {
  test("gives back what a file remembers, and else what policy says", async () => {
    const machine = machineWithPolicy();
    machine.files.get(DISK).xattrs.set("security.selinux", GONE).set(REMEMBERED, WANTED);
    machine.files.get(OTHER).xattrs.set("security.selinux", GONE).set(REMEMBERED, GONE);
    expect((await run(machine, "label", "restore", DISK, OTHER)).out).toBe(
      `${DISK} relabelled from ${GONE} to ${WANTED}\n${OTHER} relabelled from ${GONE} to ${DEFAULT}\n`,
    );
    expect([...machine.files.get(DISK).xattrs]).toEqual([["security.selinux", WANTED]]);
    expect([...machine.files.get(OTHER).xattrs]).toEqual([["security.selinux", DEFAULT]]);
  });

  test("does the others when one cannot be done, and says so by its exit code", async () => {
    const machine = machineWithPolicy();
    const said = await run(machine, "label", "restore", "/nowhere", DISK, "--json");
    expect([said.code, JSON.parse(said.out)]).toEqual([7, [{ path: DISK, from: ORIGINAL, to: DEFAULT }]]);
    expect(said.err).toContain("error: Cannot access file '/nowhere'");
  });

  test("names each file to an ordinary user, who need not have logged in, and changes none", async () => {
    const machine = machineWithPolicy();
    addUser(machine);
    machine.files.remove("/run/user");
    const before = snapshot(machine);
    const said = await run(machine, "label", "restore", DISK, OTHER);
    const why = "only root can reserve the file during the change\nremedy: Run svirt as root.\n";
    expect(said).toEqual({
      code: 5,
      out: "",
      err: `error: Cannot label ${DISK}: ${why}error: Cannot label ${OTHER}: ${why}`,
    });
    expect(snapshot(machine)).toEqual(before);
  });

  test("ends with the code of the first file where none could be done", async () => {
    expect((await run(machineWithPolicy(), "label", "restore", "/nowhere", "/etc/svirt")).code).toBe(3);
  });

  test("keeps the label where policy has none", async () => {
    const machine = machineWithPolicy();
    machine.files.putFolder("/srv");
    machine.files.put("/srv/x", "file").xattrs.set("security.selinux", WANTED);
    expect((await run(machine, "label", "restore", "/srv/x")).out).toBe(
      `/srv/x keeps ${WANTED}: the policy has no label for this path\n`,
    );
    expect(labelOf(machine, "/srv/x")).toBe(WANTED);
  });

  test("says what is missing where there is no policy", async () => {
    const said = await run(makeMachine(), "label", "restore", DISK);
    expect([said.code, said.err]).toEqual([1, expect.stringContaining("the policy has no file_contexts")]);
  });
});

test("a command's name may have two words, and svirt says which there are", async () => {
  const machine = makeMachine();
  for (const words of [
    ["label", "show", "--help"],
    ["help", "label", "show"],
  ]) {
    expect((await run(machine, ...words)).out).toContain(
      "svirt label show <path>... [--pool <POOL>] [--json]",
    );
  }
  expect(await run(machine, "label")).toEqual({
    code: 2,
    out: "",
    err: "error: unknown command: 'label'\nremedy: Write a whole command: svirt label show, or svirt label set, or svirt label restore, or svirt label release\n",
  });
  expect((await run(machine, "label", "show")).err).toContain("requires <path> option");
});

test.each(["label --help", "label -h", "help label"])("svirt %s lists what it has", async (words) => {
  const { code, err, out } = await run(makeMachine(), ...words.split(" "));
  expect([code, err]).toEqual([0, ""]);
  const names = out.split("\n").flatMap((line) => /^ {4}(\w+ \w+) /.exec(line)?.[1] ?? []);
  expect(names).toEqual(["label show", "label set", "label restore", "label release"]);
});
