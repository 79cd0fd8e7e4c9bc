import { describe, expect, test } from "bun:test";
import type { Machine } from "../../../memory-host/machine.ts";
import { type AgentAnswers, machineWithAgent, slotOfDisk } from "../../../scenes/agents.ts";
import { runOn, type Said } from "../../in-memory.ts";

// The layouts are those of libvirt's tools/virsh-domain.c and virsh-domain-monitor.c, the answers those of
// qemu.git qga/qapi-schema.json.

const TIME = 1_700_000_000_000_000_000;

async function ask(answers: AgentAnswers, ...words: readonly string[]): Promise<Said & { machine: Machine }> {
  const machine = await machineWithAgent(answers);
  const [name = "", ...rest] = words;
  return { ...(await runOn(machine, name, "vm1", ...rest)), machine };
}

/** Returns the requests that the agent got. */
const requests = (machine: Machine): unknown[] => machine.agent.asked.map((line) => JSON.parse(line));

describe("svirt domtime", () => {
  test("shows the guest's time", async () => {
    expect(await ask({ "guest-get-time": TIME }, "domtime")).toMatchObject({
      code: 0,
      out: "Time: 1700000000\n",
    });
    expect((await ask({ "guest-get-time": TIME }, "domtime", "--pretty")).out).toBe(
      "Time: 2023-11-14 22:13:20\n",
    );
  });

  test.each([
    ["--time 5", ["--time", "5"], { time: 5_000_000_000 }],
    ["--sync", ["--sync"], {}],
  ])("sets it with %s, and has QEMU drop missed ticks", async (_, words, args) => {
    const { code, machine } = await ask({ "guest-set-time": {} }, "domtime", ...words);
    expect([code, requests(machine)]).toEqual([0, [{ execute: "guest-set-time", arguments: args }]]);
  });

  test.each([[-1], ["x"], [null], [2 ** 64]])("does not take %j as a time", async (time) => {
    expect((await ask({ "guest-get-time": time }, "domtime")).err).toContain(
      "Cannot read the agent's answer to guest-get-time",
    );
  });
});

describe("svirt domfsinfo", () => {
  const place = (slot: number): object => ({
    "pci-controller": { domain: 0, bus: 0, slot, function: 0 },
    "bus-type": "virtio",
    bus: 0,
    target: 0,
    unit: 0,
  });

  test("lists file systems with the disks that have them, also one whose name moves the cursor", async () => {
    const machine = await machineWithAgent({});
    const slot = await slotOfDisk(machine);
    const found = [
      { name: "vda1", mountpoint: "/", type: "ext4", disk: [place(slot)] },
      { name: "dm-0", mountpoint: "/a\u001b[2J\nb", type: "xfs", disk: [place(slot + 1)] },
    ];
    machine.agent.answers = new Map([["guest-get-fsinfo", { return: found }]]);
    expect((await runOn(machine, "domfsinfo", "vm1")).out).toBe(
      [
        " Mountpoint   Name   Type   Target",
        "------------------------------------",
        " /            vda1   ext4   vda",
        " /a?[2J b     dm-0   xfs    ",
        "",
        "",
      ].join("\n"),
    );
  });

  test("says that there is none", async () => {
    expect((await ask({ "guest-get-fsinfo": [] }, "domfsinfo")).out).toBe(
      "No filesystems are mounted in the domain\n",
    );
  });

  test.each([
    ["no list", {}],
    ["an entry without its disks", [{ name: "a", mountpoint: "/", type: "ext4" }]],
    ["a text that ends in C", [{ name: "a\0b", mountpoint: "/", type: "ext4", disk: [] }]],
    ["a long text", [{ name: "a".repeat(5000), mountpoint: "/", type: "ext4", disk: [] }]],
    ["too many", Array.from({ length: 2049 }, () => ({ name: "a", mountpoint: "/", type: "x", disk: [] }))],
  ])("refuses an answer with %s", async (_, found) => {
    const { code, err, out } = await ask({ "guest-get-fsinfo": found }, "domfsinfo");
    expect([code, out]).toEqual([1, ""]);
    expect(err).toContain("Cannot read the agent's answer to guest-get-fsinfo");
  });
});

describe("svirt domfsfreeze, domfsthaw and domfstrim", () => {
  test.each([
    [["domfsfreeze"], "guest-fsfreeze-freeze", undefined, "Froze 2 filesystem(s)\n\n"],
    [
      ["domfsfreeze", "/", "/a"],
      "guest-fsfreeze-freeze-list",
      { mountpoints: ["/", "/a"] },
      "Froze 2 filesystem(s)\n\n",
    ],
    [["domfsthaw"], "guest-fsfreeze-thaw", undefined, "Thawed 2 filesystem(s)\n\n"],
    [["domfstrim", "--minimum", "4096"], "guest-fstrim", { minimum: 4096 }, ""],
  ])("%j", async (...[words, execute, args, out]) => {
    const said = await ask({ [execute]: 2 }, ...words);
    expect(said).toMatchObject({ code: 0, out });
    expect(requests(said.machine)).toEqual([args === undefined ? { execute } : { execute, arguments: args }]);
  });
});

describe("svirt set-user-password", () => {
  test.each([
    [[], false],
    [["--encrypted"], true],
  ])("passes the password in base64 %j", async (words, crypted) => {
    const said = await ask({ "guest-set-user-password": {} }, "set-user-password", "me", 'p"ä', ...words);
    expect(said).toMatchObject({ code: 0, out: "Password set successfully for me in vm1\n" });
    const args = { username: "me", password: Buffer.from('p"ä').toString("base64"), crypted };
    expect(requests(said.machine)).toEqual([{ execute: "guest-set-user-password", arguments: args }]);
  });
});

describe("svirt get-user-sshkeys and set-user-sshkeys", () => {
  test("list keys, each in one line", async () => {
    const keys = ["ssh-ed25519 A me", "b\u001b[2J"];
    const said = await ask({ "guest-ssh-get-authorized-keys": { keys } }, "get-user-sshkeys", "me");
    expect(said).toMatchObject({ code: 0, out: "ssh-ed25519 A me\nb?[2J\n" });
  });

  test.each([
    [["/keys"], "add", { keys: ["a 1", "b 2"], reset: false }],
    [["/keys", "--reset"], "add", { keys: ["a 1", "b 2"], reset: true }],
    [["--reset"], "add", { keys: [], reset: true }],
    [["/keys", "--remove"], "remove", { keys: ["a 1", "b 2"] }],
  ])("%j", async (words, verb, args) => {
    const execute = `guest-ssh-${verb}-authorized-keys`;
    const machine = await machineWithAgent({ [execute]: {} });
    machine.files.put("/keys", "file", { bytes: new TextEncoder().encode("a 1\n\nb 2\n") });
    expect(await runOn(machine, "set-user-sshkeys", "vm1", "me", ...words)).toEqual({
      code: 0,
      out: "",
      err: "",
    });
    expect(requests(machine)).toEqual([{ execute, arguments: { username: "me", ...args } }]);
  });

  test("want a file, unless all keys are removed", async () => {
    expect((await ask({}, "set-user-sshkeys", "me")).err).toContain("Option --file is required");
    expect((await ask({}, "set-user-sshkeys", "me", "--remove")).code).toBe(2);
  });
});

describe("svirt domhostname", () => {
  test("shows the name that the agent reports, in one line", async () => {
    expect((await ask({ "guest-get-host-name": { "host-name": "a\nb" } }, "domhostname")).out).toBe(
      "a b\n\n",
    );
    const named = await ask({ "guest-get-host-name": { "host-name": "a\nb" } }, "domhostname", "--json");
    expect(JSON.parse(named.out)).toBe("a\nb");
  });

  test("finds none by leases without a network, and no other source", async () => {
    expect((await ask({}, "domhostname", "--source", "lease")).err).toContain(
      "no hostname found: no hostname found for domain vm1",
    );
    expect((await ask({}, "domhostname", "--source", "x")).err).toContain("Unknown data source 'x'");
  });
});

describe("svirt guestinfo", () => {
  const ANSWERS = {
    "guest-get-users": [{ user: "me", "login-time": 1.5 }],
    "guest-get-osinfo": { name: "Debian", id: "debian", other: "x" },
    "guest-get-timezone": { offset: -3600 },
    "guest-get-load": { load1m: 0.5, load5m: 1, load15m: 2 },
    "guest-get-disks": [{ name: "/dev/vda", partition: false, dependencies: ["/dev/sr0"] }],
  };

  test("shows all that the agent can report", async () => {
    expect((await ask(ANSWERS, "guestinfo")).out).toBe(
      [
        "user.count          : 1",
        "user.0.name         : me",
        "user.0.login-time   : 1500",
        "os.id               : debian",
        "os.name             : Debian",
        "timezone.offset     : -3600",
        "disk.count          : 1",
        "disk.0.name         : /dev/vda",
        "disk.0.partition    : no",
        "disk.0.dependency.count: 1",
        "disk.0.dependency.0.name: /dev/sr0",
        "load.1m             : 0.500000",
        "load.5m             : 1.000000",
        "load.15m            : 2.000000",
        "",
        "",
      ].join("\n"),
    );
  });

  test("of one kind fails if the agent does not know it", async () => {
    expect(await ask(ANSWERS, "guestinfo", "--hostname")).toMatchObject({
      code: 1,
      out: "",
      err: expect.stringContaining("unable to execute QEMU agent command 'guest-get-host-name'"),
    });
    expect(JSON.parse((await ask(ANSWERS, "guestinfo", "--timezone", "--json")).out)).toEqual({
      "timezone.offset": -3600,
    });
  });
});

describe("without an agent", () => {
  test.each([["domtime"], ["domfsinfo"], ["guestinfo"], ["domhostname"], ["domfsthaw"]])(
    "svirt %s fails in libvirt's words",
    async (name) => {
      const machine = await machineWithAgent({});
      machine.agent.answers = undefined;
      expect(await runOn(machine, name, "vm1")).toMatchObject({
        code: 6,
        err: expect.stringContaining("Guest agent is not responding"),
      });
    },
  );
});
