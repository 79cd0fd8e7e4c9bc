import { describe, expect, test } from "bun:test";
import { PROCEDURES } from "../../src/rpc/procedures/table.ts";
import type { Instance } from "../../src/state/instance.ts";
import { defineDomain } from "../../src/vm/define/define.ts";
import { lookUpDomain } from "../../src/vm/guest/find-domain.ts";
import { startDomain } from "../../src/vm/start/start.ts";
import { domainXml, makeMachine, nodeOn, UUID } from "../scenes/scene.ts";
import {
  asked,
  call,
  domain,
  errorIn,
  opening,
  RemoteClient,
  serve,
  served,
  text,
  word,
} from "./remote-client.ts";

const KEEPALIVE = 0x6b_65_65_70;
const PING = call(1, "", { program: KEEPALIVE, type: 2, serial: 0 });
const VM1 = domain("vm1", UUID);
const NO_DOMAIN = domain("vm9", "99999999-9999-4999-8999-999999999999");

/** Returns a node with vm1 defined. */
async function nodeWithVm1(): Promise<Instance> {
  const instance = nodeOn(makeMachine());
  await defineDomain(instance, domainXml());
  return instance;
}

/** Packets of virsh 11.3.0 `virsh -c qemu+ext:///system?command=... list --all`, recorded. */
const VIRSH_LIST =
  "0000001c20008086000000010000004200000000000000000000000000000020200080860000000100" +
  "00003c0000000000000001000000000000000a000000382000808600000001000000010000000000000002000000000000" +
  "00010000000e71656d753a2f2f2f73797374656d0000000000000000002020008086000000010000003c00000000000000" +
  "03000000000000000e0000002020008086000000010000003c0000000000000004000000000000000f0000001c20008086" +
  "00000001000001680000000000000005000000000000002420008086000000010000011100000000000000060000000000" +
  "00000100000003" +
  "0000001c200080860000000100000169000000000000000700000000" +
  "0000001c200080860000000100000002000000000000000800000000";

describe("a client of libvirt", () => {
  test("that is virsh gets the replies that virsh list needs", async () => {
    // virsh waits for each reply; here all packets arrive together, and replies may overtake others.
    const replies = (await served(await nodeWithVm1(), VIRSH_LIST)).toSorted((a, b) => a.serial - b.serial);
    expect(replies.map(({ serial, status }) => [serial, status])).toEqual(
      Array.from({ length: 9 }, (_, serial) => [serial, 0]),
    );
    // AUTH_LIST has one type, none; the features for keepalive, events and closing are there.
    expect(replies.map(({ payload }) => payload)).toEqual([
      word(1) + word(0),
      word(1),
      "",
      word(1),
      word(1),
      "",
      word(1) + VM1 + word(1),
      "",
      "",
    ]);
  });

  test("that sends an optional text as go-libvirt does opens a connection", async () => {
    const open = call(1, `01000000${text("qemu:///system")}${word(0)}`);
    expect((await served(await nodeWithVm1(), open)).map(({ status }) => status)).toEqual([0]);
  });

  test("is told of a feature that svirt lacks: migration in its third version", async () => {
    expect((await asked(await nodeWithVm1(), call(60, word(6)))).payload).toBe(word(0));
  });

  test("finds a domain by name, UUID and id, with the id of a running one", async () => {
    const instance = await nodeWithVm1();
    await startDomain(instance, domainXml());
    const running = domain("vm1", UUID, 1);
    const calls = [call(23, text("vm1")), call(24, UUID.replaceAll("-", "")), call(22, word(1))];
    for (const packet of calls) expect((await asked(instance, packet)).payload).toBe(running);
  });

  test("gets a domain by its UUID, whatever name and id it still has for it", async () => {
    const stale = domain("vm0", UUID, 12);
    // VIR_DOMAIN_SHUTOFF is 5, VIR_DOMAIN_SHUTOFF_UNKNOWN 0.
    expect((await asked(await nodeWithVm1(), call(212, stale + word(0)))).payload).toBe(word(5) + word(0));
  });
});

describe("an error has libvirt's code, domain and message", () => {
  const cases: readonly (readonly [string, string, number, number, string])[] = [
    ["an unknown procedure", call(999), 39, 7, "unknown procedure: 999"],
    [
      "another program",
      call(1, "", { program: 0x20_00_80_88 }),
      ...([39, 7, "Cannot find program 536903816 version 1"] as const),
    ],
    ["arguments that are cut off", call(23, word(100)), 39, 7, "Unable to decode message payload"],
    [
      "a flag that is not known",
      call(212, VM1 + word(0x80_00_00_00)),
      ...([8, 10, "unsupported flags (0x80000000) in function qemuDomainGetState"] as const),
    ],
    [
      "an unknown name",
      call(23, text("vm9")),
      ...([42, 10, "Domain not found: no domain with matching name 'vm9'"] as const),
    ],
    ["an unknown id", call(22, word(7)), 42, 10, "Domain not found: no domain with matching id 7"],
    [
      "an unknown domain",
      call(14, NO_DOMAIN + word(0)),
      ...([
        42,
        10,
        "Domain not found: no domain with matching uuid '99999999-9999-4999-8999-999999999999' (vm9)",
      ] as const),
    ],
    [
      "the end of a domain that is off",
      call(12, VM1),
      ...([55, 20, "Requested operation is not valid: domain is not running"] as const),
    ],
    // qemuDomainShutdownFlagsMonitor() has its own check; the others call virDomainObjCheckActive() of
    // domain_conf.c.
    [
      "the shutdown of a domain that is off",
      call(33, VM1),
      ...([55, 10, "Requested operation is not valid: domain is not running"] as const),
    ],
    [
      "a pause of a domain that is off",
      call(34, VM1),
      ...([55, 20, "Requested operation is not valid: domain is not running"] as const),
    ],
    [
      "a reboot of a domain that is off",
      call(27, VM1 + word(0)),
      ...([55, 20, "Requested operation is not valid: domain is not running"] as const),
    ],
    [
      "another opening",
      call(1, word(0) + word(0)),
      ...([1, 7, "internal error: connection already open"] as const),
    ],
  ];

  test.each(cases)("for %s", async (...[, packet, code, from, message]) => {
    expect(errorIn(await asked(await nodeWithVm1(), packet))).toEqual({ code, domain: from, message });
  });

  // qemuDomainResume(), qemuDomainCreateWithFlags() and virDomainObjListAddLocked() of libvirt
  test.each([
    ["resume", call(28, VM1), 10, "domain is already running"],
    ["start", call(9, VM1), 10, "domain is already running"],
    [
      "creation",
      call(10, text(new TextDecoder().decode(domainXml())) + word(0)),
      20,
      "domain 'vm1' is already active",
    ],
  ] as const)("for the %s of a running domain", async (...[, packet, from, why]) => {
    const instance = await nodeWithVm1();
    await startDomain(instance, domainXml());
    expect(errorIn(await asked(instance, packet))).toEqual({
      code: 55,
      domain: from,
      message: `Requested operation is not valid: ${why}`,
    });
  });

  test("before the connection is open", async () => {
    const [reply] = await served(await nodeWithVm1(), call(273, word(1) + word(0)));
    expect(reply === undefined ? undefined : errorIn(reply)).toMatchObject({
      code: 1,
      // VIR_FROM_RPC of remote_daemon_dispatch.c
      domain: 7,
      message: "internal error: hypervisor connection not open",
    });
  });

  // virConnectOpenInternal() and virConnectValidateURIPath() of libvirt
  test.each([
    ["xen:///system", 5, "no connection driver available for xen:///system"],
    ["qemu:///other", 1, "internal error: unexpected qemu URI path '/other', try qemu:///system"],
  ])("for the URI %s", async (uri, code, message) => {
    const [, reply] = await served(await nodeWithVm1(), opening(0, uri));
    expect(reply === undefined ? undefined : errorIn(reply)).toMatchObject({ code, message });
  });

  test.each(["", "qemu:///system", "qemu:///session", "qemu:///system?mode=legacy"])(
    "but none for the URI '%s'",
    async (uri) => {
      const replies = await served(await nodeWithVm1(), opening(0, uri));
      expect(replies.map(({ status }) => status)).toEqual([0, 0]);
    },
  );

  test("and the calls after it are answered", async () => {
    const instance = await nodeWithVm1();
    const replies = await served(instance, opening() + call(23, word(100)) + call(999) + call(150, VM1));
    expect(replies.map(({ status }) => status)).toEqual([0, 0, 1, 1, 0]);
  });
});

/** Returns a node on which changes wait until they are released. */
async function waitingNode(): Promise<{ readonly instance: Instance; release(): void }> {
  // Files of procedures are loaded at the first call, which takes longer than settled().
  for (const number of [11, 59]) await PROCEDURES.load(number);
  const instance = await nodeWithVm1();
  const gate = Promise.withResolvers<void>();
  const { host } = instance;
  const lock: typeof host.lock = async (path, timeoutMs) => {
    await gate.promise;
    return await host.lock(path, timeoutMs);
  };
  return { instance: { ...instance, host: { ...host, lock } }, release: gate.resolve };
}

/** Gives svirt time for all that does not wait. */
async function settled(): Promise<void> {
  for (let at = 0; at < 100; at += 1) await new Promise((resolve) => setImmediate(resolve));
}

describe("while calls are carried out", () => {
  const xml = text(new TextDecoder().decode(domainXml()));

  test("keepalive is answered, and other calls too", async () => {
    const { instance, release } = await waitingNode();
    const client = new RemoteClient();
    const end = serve(instance, client);
    client.send(opening());
    await settled();
    client.send(call(11, xml) + PING + call(59));
    await settled();
    // The pong is a message, procedure 2, without a payload. virkeepaliveprotocol.x of libvirt
    expect(client.replies().slice(2)).toMatchObject([
      { procedure: 2, serial: 0, status: 0, payload: "" },
      { procedure: 59, status: 0 },
    ]);
    release();
    client.close();
    await end;
    expect(client.replies().at(-1)).toMatchObject({ procedure: 11, status: 0, payload: VM1 });
  });

  test("at most five are open, the next ones wait, and keepalive behind them is answered", async () => {
    const { instance, release } = await waitingNode();
    const client = new RemoteClient();
    const end = serve(instance, client);
    client.send(opening());
    for (let serial = 1; serial <= 5; serial += 1) client.send(call(11, xml, { serial }));
    client.send(call(59, "", { serial: 6 }) + PING + call(59, "", { serial: 7 }));
    await settled();
    // The sixth would be answered at once.
    expect(client.replies().slice(2)).toMatchObject([{ procedure: 2, serial: 0, status: 0, payload: "" }]);
    release();
    client.close();
    await end;
    const replies = client.replies().slice(3);
    expect(replies.map(({ status }) => status)).toEqual(Array.from({ length: 7 }, () => 0));
    expect(replies.map(({ serial }) => serial).sort()).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  test("the client waits once 64 calls, or 1 MiB of them, wait for their turn", async () => {
    const long = text(" ".repeat(600 * 1024));
    for (const { payload, waiting } of [
      { payload: xml, waiting: 64 },
      { payload: long, waiting: 2 },
    ]) {
      const { instance, release } = await waitingNode();
      const client = new RemoteClient();
      const end = serve(instance, client);
      client.send(opening());
      for (let serial = 1; serial <= 5; serial += 1) client.send(call(11, xml, { serial }));
      for (let serial = 6; serial <= 5 + waiting + 3; serial += 1) client.send(call(11, payload, { serial }));
      client.close();
      await settled();
      expect([client.replies().length, client.unread]).toEqual([2, 3]);
      release();
      await end;
      expect(client.replies()).toHaveLength(2 + 5 + waiting + 3);
    }
  });

  test("an end of the connection behind those that wait is the last packet that is read", async () => {
    const { instance, release } = await waitingNode();
    const client = new RemoteClient();
    const end = serve(instance, client);
    client.send(opening());
    for (let serial = 1; serial <= 6; serial += 1) client.send(call(11, xml, { serial }));
    client.send(call(2));
    client.send(call(59));
    await settled();
    expect([client.replies().length, client.unread]).toEqual([2, 1]);
    release();
    // The client keeps its end open. The answer to the end may overtake others.
    await end;
    expect(
      client
        .replies()
        .map(({ serial }) => serial)
        .sort(),
    ).toEqual([1, 1, 2, 2, 3, 4, 5, 6, 66].sort());
  });

  test("a connection that cannot be written to does not end the others, nor svirt", async () => {
    const { instance, release } = await waitingNode();
    const client = new RemoteClient();
    client.write = async () => {
      throw new Error("Input/output error");
    };
    const end = serve(instance, client);
    client.send(opening() + call(11, xml));
    await settled();
    client.send(call(59));
    client.close();
    release();
    await end;
    expect(lookUpDomain(instance, "name", "vm1").definition?.name).toBe("vm1");
  });

  test("the end of the connection waits for them", async () => {
    const { instance, release } = await waitingNode();
    const client = new RemoteClient();
    const end = serve(instance, client);
    client.send(opening() + call(11, xml));
    client.close();
    await settled();
    release();
    await end;
    expect(client.replies()).toHaveLength(3);
  });
});
