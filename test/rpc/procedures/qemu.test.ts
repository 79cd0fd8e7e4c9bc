import { describe, expect, test } from "bun:test";
import { startDomain } from "../../../src/vm/start/start.ts";
import { machineWithAgent } from "../../scenes/agents.ts";
import { domainXml, makeMachine, nodeOn, UUID } from "../../scenes/scene.ts";
import { asked, call, domain, errorIn, opening, served, text, word } from "../remote-client.ts";

// Program, numbers and layouts from libvirt's qemu_protocol.x, words from its libvirt-qemu.c.

const QEMU = { program: 0x20_00_80_87 };
const VM1 = domain("vm1", UUID);

describe("the program of QEMU", () => {
  test("sends a command to the monitor of a running guest, in QMP and for the human monitor", async () => {
    const machine = makeMachine();
    await startDomain(nodeOn(machine), domainXml());
    const node = nodeOn(machine);
    const status = text('{"return":{"status":"running","running":true}}');
    for (const command of ["query-status", '{"execute":"query-status"}'])
      expect((await asked(node, call(1, VM1 + text(command) + word(0), QEMU))).payload).toBe(status);
    machine.qemu = { answers: new Map([["human-monitor-command", "VM status: running\r\n"]]) };
    expect((await asked(node, call(1, VM1 + text("info status") + word(1), QEMU))).payload).toBe(
      text("VM status: running\r\n"),
    );
    expect(errorIn(await asked(node, call(1, VM1 + text("x") + word(2), QEMU)))).toMatchObject({
      code: 8,
      message: "unsupported flags (0x2) in function qemuDomainQemuMonitorCommandWithFiles",
    });
    expect(errorIn(await asked(node, call(1, VM1 + text("{}") + word(0), QEMU)))?.code).toBe(8);
  });

  test("sends a command to the agent in a guest, and awaits no answer if the client does not", async () => {
    const node = nodeOn(await machineWithAgent({ "guest-ping": { a: 1 } }));
    const ping = text('{"execute":"guest-ping"}');
    expect((await asked(node, call(3, VM1 + ping + word(-1) + word(0), QEMU))).payload).toBe(
      word(1) + text('{"return":{"a":1}}'),
    );
    expect((await asked(node, call(3, VM1 + ping + word(0) + word(0), QEMU))).payload).toBe(word(0));
    expect(errorIn(await asked(node, call(3, VM1 + ping + word(-3) + word(0), QEMU)))).toMatchObject({
      code: 8,
      message: "invalid argument: guest agent timeout '-3' is less than the minimum '-2'",
    });
  });

  test("has no events of QEMU's monitor, and no other procedures", async () => {
    const node = nodeOn(makeMachine());
    expect(errorIn(await asked(node, call(4, word(0) + word(0) + word(0), QEMU)))).toMatchObject({
      code: 3,
      message:
        "this function is not supported by the connection driver: virConnectDomainQemuMonitorEventRegister",
    });
    expect(errorIn(await asked(node, call(7, "", QEMU)))).toMatchObject({
      code: 39,
      message: "unknown procedure: 7",
    });
  });

  test.each([
    [1, "virDomainQemuMonitorCommand", VM1 + text("quit") + word(0)],
    [3, "virDomainQemuAgentCommand", VM1 + text("{}") + word(0) + word(0)],
    [4, "virConnectDomainQemuMonitorEventRegister", word(0) + word(0) + word(0)],
  ])("%i is refused to a connection for reading", async (number, api, payload) => {
    const [, , reply] = await served(nodeOn(makeMachine()), opening(1) + call(number, payload, QEMU));
    expect(reply === undefined ? undefined : errorIn(reply)).toMatchObject({
      code: 29,
      message: `operation forbidden: read only access prevents ${api}`,
    });
  });
});
