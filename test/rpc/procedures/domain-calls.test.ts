import { describe, expect, test } from "bun:test";
import { readDefinition } from "../../../src/state/definitions.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { getDomainXml } from "../../../src/vm/query/domain-xml.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { domainXml, makeMachine, nodeOn, UUID } from "../../scenes/scene.ts";
import { asked, call, domain, errorIn, maybe, text, word } from "../remote-client.ts";

// Layouts and numbers from libvirt's remote_protocol.x, words from its libvirt-domain.c and qemu_driver.c.

const VM1 = domain("vm1", UUID);
const textIn = (payload: string): string => {
  const bytes = Buffer.from(payload, "hex");
  return bytes.subarray(4, 4 + bytes.readUInt32BE(0)).toString();
};
async function running(): Promise<Machine> {
  const machine = makeMachine();
  const xml = domainXml();
  await defineDomain(nodeOn(machine), xml);
  await startDomain(nodeOn(machine), xml);
  return machine;
}

const inactive = (machine: Machine): string => readDefinition(nodeOn(machine), "vm1")?.xml ?? "";
const live = async (machine: Machine): Promise<string> =>
  (await getDomainXml(nodeOn(machine), "vm1", "running")).xml;

describe("virDomainSetMetadata() and virDomainGetMetadata()", () => {
  const set = (type: number, [value, key, uri]: readonly (string | undefined)[], flags = 0): string =>
    call(264, VM1 + word(type) + maybe(value) + maybe(key) + maybe(uri) + word(flags));
  const get = (type: number, uri: string | undefined, flags = 0): string =>
    call(265, VM1 + word(type) + maybe(uri) + word(flags));

  test.each([
    [0, ["two\nlines"], undefined],
    [1, ["a title"], undefined],
    [2, ["<a><b/></a>", "app", "http://app/"], "http://app/"],
  ] as const)("type %i is of the running guest or of the definition", async (type, given, uri) => {
    const machine = await running();
    const node = nodeOn(machine);
    const isNone = {
      code: 80,
      domain: 20,
      message: "metadata not found: Requested metadata element is not present",
    };
    expect(errorIn(await asked(node, get(type, uri)))).toEqual(isNone);
    expect(errorIn(await asked(node, set(type, given)))).toBeUndefined();
    expect(textIn((await asked(node, get(type, uri, 1))).payload)).toBe(given[0]);
    expect(errorIn(await asked(node, get(type, uri, 2)))).toEqual(isNone);
    expect(errorIn(await asked(node, set(type, given, 3)))).toBeUndefined();
    expect(textIn((await asked(node, get(type, uri, 2))).payload)).toBe(given[0]);
    expect(errorIn(await asked(node, set(type, [undefined, undefined, uri], 3)))).toBeUndefined();
    expect(errorIn(await asked(node, get(type, uri, 2)))).toEqual(isNone);
    expect(inactive(machine)).not.toContain("metadata");
  });

  test.each([
    ["an unknown type", set(3, []), 8, "invalid argument: unknown metadata type '3'"],
    ["a negative type", get(-1, undefined), 8, "invalid argument: unknown metadata type '-1'"],
    [
      "a namespace of a title",
      set(1, ["x", undefined, "u"]),
      8,
      "invalid argument: uri in virDomainSetMetadata must be NULL",
    ],
    [
      "a prefix of a title",
      set(1, ["x", "k"]),
      8,
      "invalid argument: key in virDomainSetMetadata must be NULL",
    ],
    [
      "no namespace",
      set(2, ["<x/>", "k"]),
      8,
      "invalid argument: uri in virDomainSetMetadata must not be NULL",
    ],
    [
      "no prefix",
      set(2, ["<x/>", undefined, "u"]),
      8,
      "invalid argument: key in virDomainSetMetadata must not be NULL",
    ],
    ["a title of two lines", set(1, ["a\nb"]), 8, "metadata title can't contain newlines"],
    [
      "a prefix that is none",
      set(2, ["<x/>", "a b", "u"]),
      1,
      "internal error: failed to validate prefix for a new XML namespace",
    ],
    [
      "both forms",
      get(1, undefined, 3),
      8,
      "Flags 'VIR_DOMAIN_AFFECT_LIVE' and 'VIR_DOMAIN_AFFECT_CONFIG' are mutually exclusive",
    ],
    ["another flag", get(1, undefined, 4), 8, "unsupported flags (0x4) in function virDomainObjGetMetadata"],
  ])("refuse %s, and change nothing", async (...[, packet, code, message]) => {
    const machine = await running();
    const before = [inactive(machine), await live(machine)];
    expect(errorIn(await asked(nodeOn(machine), packet))).toMatchObject({ code, message });
    expect([inactive(machine), await live(machine)]).toEqual(before);
  });

  test.each([
    ["a character that XML has not", "a\u0001b"],
    ["more than a document may have", "a".repeat(1_200_000)],
  ])("never leave a running guest with XML that cannot be read: %s", async (_, value) => {
    const machine = await running();
    for (const packet of [set(0, [value], 1), set(2, [`<x>${value}</x>`, "k", "u"], 1)]) {
      expect(errorIn(await asked(nodeOn(machine), packet))).toBeDefined();
      expect(await live(machine)).not.toContain("<description>");
    }
  });
});

describe("virDomainRename()", () => {
  test("gives a domain that is off another name", async () => {
    const machine = makeMachine();
    await defineDomain(nodeOn(machine), domainXml());
    const rename = (name: string | undefined): string => call(358, VM1 + maybe(name) + word(0));
    expect(await asked(nodeOn(machine), rename("new"))).toMatchObject({ status: 0, payload: word(0) });
    expect(readDefinition(nodeOn(machine), "new")?.uuid).toBe(UUID);
    expect(errorIn(await asked(nodeOn(machine), rename("new")))).toEqual({
      code: 55,
      domain: 20,
      message: "Requested operation is not valid: Can't rename domain to itself",
    });
    for (const none of [undefined, ""])
      expect(errorIn(await asked(nodeOn(machine), rename(none)))?.message).toBe(
        "invalid argument: string 'new_name' in virDomainRename must not be empty",
      );
  });
});

describe("requests to QEMU", () => {
  const sent = async (packet: string, command: string): Promise<[unknown, unknown]> => {
    const machine = await running();
    machine.qemu = { answers: new Map([[command, {}]]) };
    const node = nodeOn(machine);
    const error = errorIn(await asked(node, packet));
    return [error, node.svirt.changes.filter((one) => one.startsWith("monitor "))];
  };

  test.each([
    ["virDomainReset()", call(245, VM1 + word(0)), "system_reset"],
    ["virDomainInjectNMI()", call(210, VM1 + word(0)), "inject-nmi"],
    [
      "virDomainSendKey()",
      call(226, VM1 + word(0) + word(0) + word(2) + word(29) + word(30) + word(0)),
      "send-key",
    ],
  ])("%s", async (_, packet, command) => {
    expect(await sent(packet, command)).toEqual([undefined, [`monitor ${command}`]]);
  });

  test("are not valid for a domain that is off", async () => {
    const machine = makeMachine();
    await defineDomain(nodeOn(machine), domainXml());
    for (const number of [245, 210])
      expect(errorIn(await asked(nodeOn(machine), call(number, VM1 + word(0))))).toEqual({
        code: 55,
        domain: 20,
        message: "Requested operation is not valid: domain is not running",
      });
  });

  test.each([
    [
      "a code that no key of its set has",
      word(7) + word(0) + word(1) + word(1),
      1,
      "internal error: cannot translate keycode 1 of usb codeset to qnum keycode",
    ],
    [
      "an unknown set",
      word(10) + word(0) + word(1) + word(30),
      8,
      "invalid argument: Unsupported codeset '10'",
    ],
    [
      "no key",
      word(0) + word(0) + word(0),
      8,
      "invalid argument: nkeycodes in virDomainSendKey must be greater than zero",
    ],
    [
      "an unknown key",
      word(0) + word(0) + word(1) + word(9999),
      1,
      "internal error: cannot translate keycode 9999",
    ],
  ])("virDomainSendKey() refuses %s", async (...[, rest, code, message]) => {
    const found = errorIn(await asked(nodeOn(await running()), call(226, VM1 + rest + word(0))));
    expect([found?.code, found?.message.startsWith(message)]).toEqual([code, true]);
  });

  test("virDomainCoreDump() writes a file", async () => {
    const machine = await running();
    const path = "/var/lib/images/vm1.core";
    expect(errorIn(await asked(nodeOn(machine), call(53, VM1 + text(path) + word(2))))).toBeUndefined();
    expect(machine.files.find(path)?.inode.type).toBe("file");
  });

  // VIR_DUMP_CRASH 1, LIVE 2, BYPASS_CACHE 4, RESET 8, MEMORY_ONLY 16
  test.each([
    ["two flags", word(0) + word(3), 8, "Flags 'VIR_DUMP_CRASH' and 'VIR_DUMP_LIVE' are mutually exclusive"],
    [
      "bypassing the cache",
      word(0) + word(4),
      8,
      "unsupported flags (0x4) in function qemuDomainCoreDumpWithFormat",
    ],
    ["an unknown format", word(8) + word(16), 8, "invalid argument: dumpformat '8' is not supported"],
    [
      "a format of the whole guest",
      word(1) + word(0),
      84,
      "Operation not supported: kdump-compressed format is only supported with memory-only dump",
    ],
    [
      "a format that needs a file",
      word(5) + word(16),
      84,
      "Operation not supported: QEMU must seek in a file of this format, and svirt gives it a pipe",
    ],
  ])("virDomainCoreDumpWithFormat() refuses %s", async (...[, rest, code, message]) => {
    const packet = call(334, VM1 + text("/var/lib/images/vm1.core") + rest);
    expect(errorIn(await asked(nodeOn(await running()), packet))).toMatchObject({ code, message });
  });
});
