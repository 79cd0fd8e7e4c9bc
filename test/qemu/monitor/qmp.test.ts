import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { SvirtError } from "../../../src/errors.ts";
import { joinLine, LineBuffer } from "../../../src/qemu/monitor/line-buffer.ts";
import { formatQmpCommand, parseQmpLine, type QmpMessage } from "../../../src/qemu/monitor/qmp.ts";
import { decideState, decideStateAfter } from "../../../src/qemu/monitor/status.ts";

const greeting = `{"QMP": {"version": {"qemu": {"micro": 13, "minor": 0, "major": 10}, "package": "Debian"}, "capabilities": ["oob"]}}\r\n`;
const event = `{"timestamp": {"seconds": 1795537207, "microseconds": 667618}, "event": "SHUTDOWN", "data": {"guest": true, "reason": "guest-shutdown"}}\r\n`;
const stream = `${greeting}{"return": {}, "id": 1}\r\n${event}{"id": 2, "error": {"class": "GenericError", "desc": "no ä"}}\r\n`;
const messages: QmpMessage[] = [
  { is: "greeting", version: "10.0.13" },
  { is: "return", id: 1, value: {} },
  {
    is: "event",
    name: "SHUTDOWN",
    facts: new Map<string, unknown>([
      ["guest", true],
      ["reason", "guest-shutdown"],
    ]),
    atMs: 1795537207667,
  },
  { is: "error", id: 2, description: "no ä" },
];

function feed(chunks: readonly Uint8Array[]): QmpMessage[] {
  const lines = new LineBuffer();
  return chunks.flatMap((chunk) => lines.add(chunk)).flatMap((line) => parseQmpLine(joinLine(line)) ?? []);
}

describe("parseQmpLine()", () => {
  test("reads greeting, reply, event and error however the stream is cut", () => {
    const bytes = new TextEncoder().encode(stream);
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 20 }), (cuts) => {
        const edges = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
        const chunks = edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge));
        expect(feed(chunks)).toEqual(messages);
      }),
    );
  });

  test("refuses what is nested too deep, and takes brackets in a text for text", () => {
    const deep = (levels: number): string =>
      `{"return": ${"[".repeat(levels)}${"]".repeat(levels)}, "id": 1}`;
    const read = (text: string) => parseQmpLine(new TextEncoder().encode(text));
    expect(read(deep(500))).toMatchObject({ is: "return", id: 1 });
    expect(() => read(deep(1_000_000))).toThrow("a message is nested more than 512 levels deep");
    expect(() => read(`{"return": ${"[".repeat(1_000_000)}`)).toThrow("nested more than 512 levels");
    const text = `${"[".repeat(2000)}\\"{`;
    expect(read(JSON.stringify({ return: text, id: 2 }))).toEqual({ is: "return", id: 2, value: text });
  });

  test.each(["hello\n", "[]\n", "{}\n", "1\n", `{"event": 1}\n`])("refuses %j", (text) => {
    expect(() => feed([new TextEncoder().encode(text)])).toThrow("Cannot parse QEMU's monitor");
  });

  test("meets any JSON with messages or a SvirtError", () => {
    fc.assert(
      fc.property(fc.json(), (json) => {
        try {
          feed([new TextEncoder().encode(`${json}\n`)]);
        } catch (error) {
          expect(error).toBeInstanceOf(SvirtError);
        }
      }),
    );
  });
});

test("formatQmpCommand() writes one line with the reply's number", () => {
  expect(formatQmpCommand({ execute: "cont" }, 3)).toBe(`{"execute":"cont","id":3}\n`);
  expect(formatQmpCommand({ execute: "balloon", arguments: { value: 1 } }, 4)).toBe(
    `{"execute":"balloon","arguments":{"value":1},"id":4}\n`,
  );
});

test("decideState() gives virsh's words", () => {
  expect(decideState("running")).toEqual({ state: "running", reason: "unknown" });
  expect(decideState("prelaunch")).toEqual({ state: "paused", reason: "starting up" });
  expect(decideState("io-error")).toEqual({ state: "paused", reason: "I/O error" });
  expect(decideState("no such state")).toEqual({ state: "paused", reason: "unknown" });
});

test("decideStateAfter() tells how a guest ended", () => {
  const end = (reason: string) =>
    decideStateAfter({ is: "event", name: "SHUTDOWN", facts: new Map([["reason", reason]]), atMs: 0 });
  expect(end("guest-shutdown")).toEqual({ state: "shut off", reason: "shutdown" });
  expect(end("host-qmp-quit")).toEqual({ state: "shut off", reason: "destroyed" });
  expect(end("guest-panic")).toEqual({ state: "shut off", reason: "crashed" });
  expect(
    decideStateAfter({ is: "event", name: "NIC_RX_FILTER_CHANGED", facts: new Map(), atMs: 0 }),
  ).toBeUndefined();
});
