import { describe, expect, test } from "bun:test";
import type { Machine } from "../../../memory-host/machine.ts";
import { BRIDGE, LAN_UUID, networkXml } from "../../../scenes/networks.ts";
import { makeMachine } from "../../../scenes/scene.ts";
import { makeUsersMachine, USER } from "../../../scenes/session.ts";
import { runOn } from "../../in-memory.ts";

/** Returns a machine with the document of the network `lan` in /lan.xml. */
function machineWith(content = BRIDGE, machine = makeMachine()): Machine {
  machine.files.put("/lan.xml", "file", { bytes: networkXml(content, "lan", LAN_UUID), uid: machine.uid });
  return machine;
}

async function said(machine: Machine, line: string): Promise<string> {
  const { code, err, out } = await runOn(machine, ...line.split(" "));
  return `${code} ${out}${err}`;
}

describe("the commands of networks", () => {
  test("say what virsh says", async () => {
    const machine = machineWith();
    const lines = [
      ["net-define /lan.xml", "Network lan defined from /lan.xml\n\n"],
      ["net-autostart lan", "Network lan marked as autostarted\n\n"],
      ["net-autostart lan --disable", "Network lan unmarked as autostarted\n\n"],
      ["net-start lan", "Network lan started\n\n"],
      ["net-start lan", "Network lan is already active\n\n"],
      ["net-create /lan.xml", "Network lan is already active\n\n"],
      [`net-name ${LAN_UUID}`, "lan\n\n"],
      ["net-uuid lan", `${LAN_UUID}\n\n`],
      ["net-destroy lan", "Network lan destroyed\n\n"],
      ["net-destroy lan", "Network lan is not active\n\n"],
      ["net-edit lan", "Network lan XML configuration not changed.\n\n"],
      ["net-undefine lan", "Network lan has been undefined\n\n"],
      ["net-create /lan.xml", "Network lan created from /lan.xml\n\n"],
    ] as const;
    for (const [line, text] of lines) expect([line, await said(machine, line)]).toEqual([line, `0 ${text}`]);
  });

  // cmdNetworkList() and vshTablePrint() of libvirt: two blanks after the widest cell, and one before each
  // cell.
  test("net-list has virsh's columns", async () => {
    const machine = machineWith();
    const head = " Name   State   Autostart   Persistent\n----------------------------------------\n\n";
    expect(await said(machine, "net-list")).toBe(`0 ${head}`);
    await runOn(machine, "net-define", "/lan.xml");
    await runOn(machine, "net-autostart", "lan");
    machine.files.put("/b.xml", "file", { bytes: networkXml(BRIDGE, "Backup") });
    await runOn(machine, "net-create", "/b.xml");
    expect(await said(machine, "net-list --all")).toBe(
      "0 " +
        " Name     State      Autostart   Persistent\n" +
        "---------------------------------------------\n" +
        " Backup   active     no          no\n" +
        " lan      inactive   yes         yes\n\n",
    );
  });

  test.each([
    ["", ["Backup"]],
    ["--inactive", ["lan", "off"]],
    ["--all", ["Backup", "lan", "off"]],
    ["--all --persistent", ["lan", "off"]],
    ["--all --transient", ["Backup"]],
    ["--all --persistent --transient", ["Backup", "lan", "off"]],
    ["--all --autostart", ["lan"]],
    ["--all --no-autostart", ["Backup", "off"]],
    ["--inactive --no-autostart", ["off"]],
  ])("net-list %s selects", async (options, names) => {
    const machine = machineWith();
    machine.files.put("/b.xml", "file", { bytes: networkXml(BRIDGE, "Backup") });
    machine.files.put("/o.xml", "file", { bytes: networkXml(BRIDGE, "off") });
    for (const line of ["net-define /lan.xml", "net-define /o.xml", "net-autostart lan", "net-create /b.xml"])
      await runOn(machine, ...line.split(" "));
    expect(await said(machine, `net-list --name ${options}`.trim())).toBe(
      `0 ${names.map((name) => `${name}\n`).join("")}`,
    );
  });

  test("net-list prints uuids, JSON, and one form only", async () => {
    const machine = machineWith();
    await runOn(machine, "net-define", "/lan.xml");
    expect(await said(machine, "net-list --all --uuid")).toBe(`0 ${LAN_UUID}\n`);
    const { out } = await runOn(machine, "net-list", "--all", "--json");
    expect(JSON.parse(out)).toEqual([
      { name: "lan", uuid: LAN_UUID, state: "inactive", autostart: false, persistent: true },
    ]);
    expect((await runOn(machine, "net-list", "--uuid", "--name")).code).toBe(2);
  });

  test("net-info has virsh's lines", async () => {
    const machine = machineWith();
    await runOn(machine, "net-create", "/lan.xml");
    expect(await said(machine, "net-info lan")).toBe(
      `0 Name:           lan\nUUID:           ${LAN_UUID}\nActive:         yes\nPersistent:     no\n` +
        "Autostart:      no\nBridge:         br0\n\n",
    );
    const { out } = await runOn(machine, "net-info", "lan", "--json");
    expect(JSON.parse(out)).toEqual({
      name: "lan",
      uuid: LAN_UUID,
      active: true,
      persistent: false,
      autostart: false,
      bridge: "br0",
    });
  });

  test("net-info has no bridge of a network without one", async () => {
    const machine = machineWith("<forward mode='private' dev='eth0'/>");
    await runOn(machine, "net-define", "/lan.xml");
    expect((await runOn(machine, "net-info", "lan")).out).not.toContain("Bridge");
  });

  test("net-dumpxml prints the active network, and its definition on request", async () => {
    const machine = machineWith();
    await runOn(machine, "net-define", "/lan.xml");
    await runOn(machine, "net-start", "lan");
    machine.edit = (text) => text.replace("br0", "br1");
    expect(await said(machine, "net-edit lan")).toBe("0 Network lan XML configuration edited.\n\n");
    expect((await runOn(machine, "net-dumpxml", "lan")).out).toContain("<bridge name='br0'/>");
    expect((await runOn(machine, "net-dumpxml", "lan", "--inactive")).out).toContain("<bridge name='br1'/>");
    const { out } = await runOn(machine, "net-dumpxml", "lan", "--json");
    expect(JSON.parse(out)).toMatchObject({ name: "lan", uuid: LAN_UUID, isLive: true });
  });

  test("find no network that is missing, with virsh's message", async () => {
    for (const name of [
      "start",
      "destroy",
      "undefine",
      "info",
      "dumpxml",
      "name",
      "uuid",
      "autostart",
      "edit",
    ]) {
      const { code, err } = await runOn(makeMachine(), `net-${name}`, "../domains/vm1");
      expect([name, code, err]).toEqual([
        name,
        3,
        expect.stringContaining("failed to get network '../domains/vm1'"),
      ]);
    }
  });
});

describe("svirt net-edit", () => {
  const TEXT = `/run/svirt/edit/network-${LAN_UUID}.xml`;

  test("keeps a text that is refused, and says where; the definition is as it was", async () => {
    const machine = machineWith();
    await runOn(machine, "net-define", "/lan.xml");
    const before = (await runOn(machine, "net-dumpxml", "lan")).out;
    machine.edit = (text) => text.replace("<bridge", "<frob/><bridge");
    const { code, err } = await runOn(machine, "net-edit", "lan");
    expect([code, err]).toEqual([2, expect.stringContaining("/network/frob")]);
    expect(err).toContain(`Correct your text in ${TEXT}, then run: svirt net-define ${TEXT}`);
    expect((await runOn(machine, "net-dumpxml", "lan")).out).toBe(before);
    expect(new TextDecoder().decode(machine.files.get(TEXT).bytes)).toContain("<frob/>");
  });

  test("stores nothing over a definition that was changed meanwhile, or that is gone", async () => {
    const machine = machineWith();
    await runOn(machine, "net-define", "/lan.xml");
    const file = machine.files.get("/etc/svirt/networks/lan.xml");
    machine.edit = (text) => {
      file.bytes = new TextEncoder().encode(text.replace("br0", "br7"));
      return text.replace("br0", "br1");
    };
    const { code, err } = await runOn(machine, "net-edit", "lan");
    expect([code, err]).toEqual([4, expect.stringContaining("was changed by another user")]);
    expect(new TextDecoder().decode(file.bytes)).toContain("br7");
  });

  test("refuses a network without a definition", async () => {
    const machine = machineWith();
    await runOn(machine, "net-create", "/lan.xml");
    const { code, err } = await runOn(machine, "net-edit", "lan");
    expect([code, err]).toEqual([4, expect.stringContaining("cannot edit transient network")]);
  });
});

describe("an ordinary user's networks", () => {
  test("are in the user's folders, and none starts at boot", async () => {
    const machine = machineWith(BRIDGE, makeUsersMachine());
    expect(machine.uid).toBe(USER);
    expect(await said(machine, "net-define /lan.xml")).toBe("0 Network lan defined from /lan.xml\n\n");
    expect(await said(machine, "net-start lan")).toBe("0 Network lan started\n\n");
    for (const path of [
      "/home/alice/.config/svirt/networks/lan.xml",
      "/run/user/1000/svirt/networks/lan.xml",
    ])
      expect([path, machine.files.find(path)?.inode.type]).toEqual([path, "file"]);
    expect((await runOn(machine, "net-autostart", "lan")).code).toBe(2);
  });
});

describe("svirt recover --autostart", () => {
  test("starts networks before the domains", async () => {
    const machine = machineWith();
    await runOn(machine, "net-define", "/lan.xml");
    await runOn(machine, "net-autostart", "lan");
    expect(await said(machine, "recover")).toBe("0 ");
    expect(await said(machine, "recover --autostart")).toBe("0 Network lan started\n");
    const { out } = await runOn(machine, "recover", "--autostart", "--json");
    expect(JSON.parse(out)).toMatchObject({ networks: [], started: [] });
  });
});
