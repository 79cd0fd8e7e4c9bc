import { describe, expect, test } from "bun:test";
import { startDomain } from "../../../src/vm/start/start.ts";
import { machineWithAgent } from "../../scenes/agents.ts";
import { domainXml, makeMachine, nodeOn, UUID } from "../../scenes/scene.ts";
import { asked, call, domain, errorIn, long, maybe, text, word } from "../remote-client.ts";

// Layouts and numbers from libvirt's remote_protocol.x, words from its libvirt-domain.c and qemu_driver.c.

const VM1 = domain("vm1", UUID);
describe("the agent", () => {
  test("tells time, name, file systems, keys and facts, with libvirt's types", async () => {
    const file = { name: "vda1", mountpoint: "/", type: "ext4", disk: [] };
    const machine = await machineWithAgent({
      "guest-get-time": 1_700_000_000_500_000_000,
      "guest-get-host-name": { "host-name": "me" },
      "guest-get-fsinfo": [file],
      "guest-ssh-get-authorized-keys": { keys: ["a", "b"] },
      "guest-get-load": { load1m: 0.5, load5m: 1, load15m: 2 },
      "guest-get-timezone": { offset: -60 },
    });
    const ask = async (packet: string): Promise<string> => (await asked(nodeOn(machine), packet)).payload;
    expect(await ask(call(337, VM1 + word(0)))).toBe(long(1_700_000_000n) + word(500_000_000));
    expect(await ask(call(277, VM1 + word(0)))).toBe(text("me"));
    expect(await ask(call(349, VM1 + word(0)))).toBe(
      word(1) + text("/") + text("vda1") + text("ext4") + word(0) + word(1),
    );
    expect(await ask(call(424, VM1 + text("u") + word(0)))).toBe(word(2) + text("a") + text("b"));
    // VIR_DOMAIN_GUEST_INFO_TIMEZONE 4 and LOAD 128; a double is of type 5
    expect(await ask(call(418, VM1 + word(132) + word(0)))).toBe(
      word(4) +
        text("timezone.offset") +
        word(1) +
        word(-60) +
        text("load.1m") +
        word(5) +
        "3fe0000000000000" +
        text("load.5m") +
        word(5) +
        "3ff0000000000000" +
        text("load.15m") +
        word(5) +
        "4000000000000000",
    );
  });

  test.each([
    [338, long(5n) + word(7) + word(0), { execute: "guest-set-time", arguments: { time: 5_000_000_007 } }],
    [338, long(0n) + word(0) + word(1), { execute: "guest-set-time", arguments: {} }],
    [
      335,
      word(1) + text("/") + word(0),
      { execute: "guest-fsfreeze-freeze-list", arguments: { mountpoints: ["/"] } },
    ],
    [336, word(0) + word(0), { execute: "guest-fsfreeze-thaw" }],
    [294, word(0) + long(4096n) + word(0), { execute: "guest-fstrim", arguments: { minimum: 4096 } }],
    [
      357,
      maybe("u") + maybe("p") + word(1),
      { execute: "guest-set-user-password", arguments: { username: "u", password: "cA==", crypted: true } },
    ],
    [
      425,
      text("u") + word(1) + text("a") + word(1),
      { execute: "guest-ssh-add-authorized-keys", arguments: { username: "u", keys: ["a"], reset: false } },
    ],
    [
      425,
      text("u") + word(0) + word(0),
      { execute: "guest-ssh-add-authorized-keys", arguments: { username: "u", keys: [], reset: true } },
    ],
    [
      425,
      text("u") + word(1) + text("a") + word(2),
      { execute: "guest-ssh-remove-authorized-keys", arguments: { username: "u", keys: ["a"] } },
    ],
  ])("is asked by %i", async (number, rest, request) => {
    const machine = await machineWithAgent({ [request.execute]: 1 });
    expect(errorIn(await asked(nodeOn(machine), call(number, VM1 + rest)))).toBeUndefined();
    expect(machine.agent.asked.map((line) => JSON.parse(line))).toEqual([request]);
  });

  test.each([
    [
      "a mount point to thaw",
      336,
      word(1) + text("/") + word(0),
      74,
      "argument unsupported: specifying mountpoints is not supported",
    ],
    [
      "a mount point to trim",
      294,
      maybe("/") + long(0n) + word(0),
      74,
      "argument unsupported: Specifying mount point is not supported for now",
    ],
    [
      "no user",
      357,
      word(0) + maybe("p") + word(0),
      8,
      "invalid argument: user in virDomainSetUserPassword must not be NULL",
    ],
    [
      "other facts",
      418,
      word(256) + word(0),
      8,
      "invalid argument: unsupported guest information types '0x100'",
    ],
    [
      "a key of two lines",
      425,
      text("u") + word(1) + text("a\nb") + word(0),
      8,
      "invalid argument: a key of SSH has more than one line",
    ],
    [
      "both ways to change keys",
      425,
      text("u") + word(0) + word(3),
      8,
      "Flags 'VIR_DOMAIN_AUTHORIZED_SSH_KEYS_SET_APPEND' and 'VIR_DOMAIN_AUTHORIZED_SSH_KEYS_SET_REMOVE' are mutually exclusive",
    ],
    [
      "a command that it does not know",
      337,
      word(0),
      1,
      "internal error: unable to execute QEMU agent command 'guest-get-time': The command guest-get-time has not been found",
    ],
  ])("is not asked for %s", async (...[, number, rest, code, message]) => {
    const machine = await machineWithAgent({});
    expect(errorIn(await asked(nodeOn(machine), call(number, VM1 + rest)))).toMatchObject({ code, message });
  });

  test("that no domain has is libvirt's error 74, and one that is silent 86", async () => {
    const without = makeMachine();
    await startDomain(nodeOn(without), domainXml());
    expect(errorIn(await asked(nodeOn(without), call(337, VM1 + word(0))))?.code).toBe(74);
    const machine = await machineWithAgent({});
    machine.agent.answers = undefined;
    expect(errorIn(await asked(nodeOn(machine), call(337, VM1 + word(0))))?.code).toBe(86);
  });
});
