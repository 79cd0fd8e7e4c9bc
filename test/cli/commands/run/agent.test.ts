import { describe, expect, test } from "bun:test";
import type { Machine } from "../../../memory-host/machine.ts";
import { domainXml, makeMachine, UUID } from "../../../scenes/scene.ts";
import { runOn } from "../../in-memory.ts";

const CHANNEL = "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>";
const PING = '{"execute":"guest-ping"}';

/** Returns a machine with a running guest that has these devices and an agent. */
async function running(devices: string): Promise<Machine> {
  const machine = makeMachine();
  machine.agent.answers = new Map<string, object>([["guest-ping", { return: {} }]]);
  machine.files.put("/vm.xml", "file", { bytes: domainXml({ devices }) });
  expect((await runOn(machine, "create", "/vm.xml")).code).toBe(0);
  const image =
    (await runOn(machine, "dumpxml", "vm1")).out.match(/<imagelabel>(.*)<\/imagelabel>/)?.[1] ?? "";
  const socket = machine.files.put(`/run/svirt/${UUID}/guest/channel0.sock`, "socket");
  socket.xattrs.set("security.selinux", image);
  return machine;
}

// cmdDomIfAddr() of libvirt's tools/virsh-domain-monitor.c; the answer is that of qemu.git
// qga/qapi-schema.json
describe("svirt domifaddr --source agent", () => {
  const loopback = { "ip-address-type": "ipv4", "ip-address": "127.0.0.1", prefix: 8 };
  const said = [
    { name: "lo", "hardware-address": "00:00:00:00:00:00", "ip-addresses": [loopback] },
    {
      name: "eth0",
      "hardware-address": "52:54:00:00:00:01",
      "ip-addresses": [
        { "ip-address-type": "ipv4", "ip-address": "10.0.0.7", prefix: 24 },
        { "ip-address-type": "ipv6", "ip-address": "fe80::1", prefix: 64 },
      ],
    },
    { name: "eth0:1", "ip-addresses": [{ "ip-address-type": "ipv4", "ip-address": "10.0.0.8", prefix: 24 }] },
    { name: "sit0" },
  ];
  const ask = async (interfaces: readonly object[], ...words: readonly string[]) => {
    const machine = await running(CHANNEL);
    machine.agent.answers = new Map([["guest-network-get-interfaces", { return: interfaces }]]);
    return await runOn(machine, "domifaddr", "vm1", "--source", "agent", ...words);
  };

  test("prints what the guest says of its interfaces", async () => {
    expect((await ask(said)).out).toBe(
      ` Name       MAC address          Protocol     Address
-------------------------------------------------------------------------------
 lo         00:00:00:00:00:00    ipv4         127.0.0.1/8
 eth0       52:54:00:00:00:01    ipv4         10.0.0.7/24
 -          -                    ipv6         fe80::1/64
 -          -                    ipv4         10.0.0.8/24
 sit0       N/A                  N/A          N/A

`,
    );
  });

  test("tells of the one that is named", async () => {
    const { out } = await ask(said, "sit0", "--json");
    expect(JSON.parse(out)).toEqual([{ interface: "sit0", addresses: [] }]);
  });

  test.each([
    ["a name that moves the cursor", [{ name: "e\u001b[2J" }]],
    ["an address that is none", [{ name: "e", "ip-addresses": [{ ...loopback, "ip-address": "\n" }] }]],
    ["a MAC address that is none", [{ name: "e", "hardware-address": "x" }]],
  ])("prints nothing of an answer with %s", async (_, interfaces) => {
    expect(await ask(interfaces)).toMatchObject({
      code: 1,
      out: "",
      err: expect.stringContaining("Cannot read the agent's answer to guest-network-get-interfaces"),
    });
  });
});

// cmdQemuAgentCommand() of libvirt's tools/virsh-domain.c, and qemuAgentCommand()
describe("svirt qemu-agent-command", () => {
  test("prints the agent's answer", async () => {
    const machine = await running(CHANNEL);
    expect(await runOn(machine, "qemu-agent-command", "vm1", PING)).toEqual({
      code: 0,
      out: '{"return":{}}\n\n',
      err: "",
    });
    expect((await runOn(machine, "qemu-agent-command", "vm1", PING, "--pretty")).out).toBe(
      '{\n  "return": {}\n}\n\n',
    );
    expect(machine.agent.asked).toEqual([`${PING}\n`, `${PING}\n`]);
  });

  test("prints what a terminal would obey as escapes, which a parser reads as what the guest said", async () => {
    const machine = await running(CHANNEL);
    const said = "a\u009b31m\u202eb\u007f\u2066\u200f\u061c";
    machine.agent.answers = new Map<string, object>([["guest-ping", { return: { said } }]]);
    const { out } = await runOn(machine, "qemu-agent-command", "vm1", PING);
    expect(out).toBe('{"return":{"said":"a\\u009b31m\\u202eb\\u007f\\u2066\\u200f\\u061c"}}\n\n');
    expect(JSON.parse(out)).toEqual({ return: { said } });
  });

  test("passes over what the agent still says to somebody else, and half a line of it", async () => {
    const machine = await running(CHANNEL);
    machine.agent.left = ['{"return":"old"}', '{"return":17', "17}"];
    expect((await runOn(machine, "qemu-agent-command", "vm1", PING)).out).toBe('{"return":{}}\n\n');
  });

  test("with --async waits for no answer", async () => {
    const machine = await running(CHANNEL);
    expect(await runOn(machine, "qemu-agent-command", "vm1", "--async", PING)).toEqual({
      code: 0,
      out: "",
      err: "",
    });
    expect(machine.agent.asked).toEqual([`${PING}\n`]);
  });

  test("tells the agent's error in virsh's words", async () => {
    const machine = await running(CHANNEL);
    const { code, err } = await runOn(machine, "qemu-agent-command", "vm1", '{"execute":"guest-x"}');
    expect([code, err]).toEqual([
      1,
      expect.stringContaining(
        "internal error: unable to execute QEMU agent command 'guest-x': The command guest-x has not been found",
      ),
    ]);
  });

  test("says when no agent answers, or none could", async () => {
    const silent = await running(CHANNEL);
    silent.agent.answers = undefined;
    const { code, err } = await runOn(silent, "qemu-agent-command", "vm1", PING, "--timeout", "1");
    expect([code, err]).toEqual([6, expect.stringContaining("Guest agent is not responding")]);
    expect(err).toContain("or wait longer: --timeout SECONDS");
    expect(silent.agent.waited).toEqual([1000]);
    const without = await runOn(await running(""), "qemu-agent-command", "vm1", PING);
    expect([without.code, without.err]).toEqual([
      2,
      expect.stringContaining("QEMU guest agent is not configured"),
    ]);
  });

  test.each([
    ["", 5000],
    ["--timeout 1", 1000],
    ["--timeout 60", 60_000],
    ["--block", 5000],
    ["--async", 5000],
  ])(
    "%s has as long for the agent to take the command as for its answer, and 5 s without a limit",
    async (words, ms) => {
      const machine = await running(CHANNEL);
      const options = words === "" ? [] : words.split(" ");
      expect((await runOn(machine, "qemu-agent-command", "vm1", PING, ...options)).code).toBe(0);
      expect(machine.agent.sendingMs).toEqual([ms]);
    },
  );

  test("does not wait for a guest that talks on and on", async () => {
    const machine = await running(CHANNEL);
    machine.agent.left = Array<string>(10_000).fill('{"return":"old"}');
    const { code, err } = await runOn(machine, "qemu-agent-command", "vm1", PING);
    expect([code, err]).toEqual([6, expect.stringContaining("Guest agent is not responding")]);
    expect(machine.agent.asked).toEqual([]);
  });

  test.each([
    ["guest-ping", 'it must be {"execute": NAME}'],
    ['{"command":"guest-ping"}', 'it must be {"execute": NAME}'],
    [`${PING} --timeout 0`, "malformed or out of range"],
    [`${PING} --async --block`, "mutually exclusive"],
  ])("refuses %s", async (words, says) => {
    const said = await runOn(await running(CHANNEL), "qemu-agent-command", "vm1", ...words.split(" "));
    expect([said.code, said.err]).toEqual([2, expect.stringContaining(says)]);
  });

  const turn = `/run/svirt/locks/${UUID}-channel0`;

  test("waits for the end of another call to the agent", async () => {
    const machine = await running(CHANNEL);
    machine.locks.set(turn, machine.svirt().svirt);
    machine.after(20_000, () => void machine.locks.delete(turn));
    expect(await runOn(machine, "qemu-agent-command", "vm1", PING)).toMatchObject({ code: 0, err: "" });
  });

  test("does not wait for ever for another call, and asks nothing then", async () => {
    const machine = await running(CHANNEL);
    machine.locks.set(turn, machine.svirt().svirt);
    const { code, err } = await runOn(machine, "qemu-agent-command", "vm1", PING);
    expect([code, err]).toEqual([6, expect.stringContaining("cannot acquire state change lock")]);
    expect(machine.agent.asked).toEqual([]);
  });

  test("refuses a socket that a guest has put in the place of its own", async () => {
    const machine = await running(CHANNEL);
    machine.files.put("/run/other.sock", "socket");
    const path = `/run/svirt/${UUID}/guest/channel0.sock`;
    machine.files.remove(path);
    machine.files.put(path, "symlink", { target: "/run/other.sock" });
    const { code } = await runOn(machine, "qemu-agent-command", "vm1", PING);
    expect([code, machine.agent.asked]).toEqual([5, []]);
  });
});
