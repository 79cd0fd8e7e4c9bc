import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { formatAgentAnswer, parseAgentAnswer } from "../../../src/qemu/agent/answer.ts";
import { joinBytes, type Line } from "../../../src/qemu/monitor/line-buffer.ts";

const MIB = 1024 * 1024;

/** Splits a line into parts of this many bytes. */
function inParts(json: string, partBytes: number): Line {
  const bytes = new TextEncoder().encode(json);
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += partBytes) parts.push(bytes.subarray(at, at + partBytes));
  return { parts, bytes: bytes.length };
}

const format = (json: string, partBytes: number, indent?: number): string =>
  new TextDecoder().decode(joinBytes([...formatAgentAnswer(inParts(json, partBytes), "guest-x", indent)]));

describe("formatAgentAnswer()", () => {
  test("writes what JSON.stringify() would, however the answer is cut", () => {
    const letters = fc.string({
      unit: fc.constantFrom("a", "b", "\\", '"', "\n", "\u0007", "é", "😀", "[", "{", "-", "0"),
    });
    const value = fc.jsonValue({ stringUnit: fc.constantFrom("a", "\\", '"', "\u0000", "é", "l") });
    const options = fc.record({
      inner: value,
      text: letters,
      repeat: fc.nat(9000),
      partBytes: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1024, max: 1100 })),
    });
    fc.assert(
      fc.property(options, ({ inner, partBytes, repeat, text }) => {
        const answer = { return: { inner, text, long: "x".repeat(repeat), last: text.repeat(2) } };
        for (const indent of [undefined, 2]) {
          const expected = JSON.stringify(answer, undefined, indent);
          expect(format(JSON.stringify(answer), partBytes, indent)).toBe(expected);
        }
      }),
    );
  });

  test("passes long texts on in pieces, and mistakes none of the guest's words for them", () => {
    const [one, other] = ["A".repeat(30_000), "B".repeat(20_000)];
    const answer = { return: { one, "long-text-0-0.": "long-text-0-1.", other, 7: "long-text-1-0." } };
    expect(format(JSON.stringify(answer), 1024)).toBe(JSON.stringify(answer));
    const pieces = [...formatAgentAnswer(inParts(JSON.stringify(answer), 1024), "guest-x", undefined)];
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(2500);
  });

  test.each([
    ["a control character in a long text", `{"return":"${"x".repeat(5000)}\u0007${"x".repeat(5000)}"}`],
    ["a long text that does not end", `{"return":"${"x".repeat(5000)}`],
    ["a long text where there is to be none", `{"return":${"x".repeat(5000)}}`],
    ["no JSON", "x".repeat(5000)],
    ["neither", `{"retrun":"${"x".repeat(5000)}"}`],
  ])("refuses %s", (_, json) => {
    expect(() => format(json, 1024)).toThrow("its answer is neither a return nor an error");
  });

  test("refuses bytes that are no UTF-8 in a long text", () => {
    const line = inParts(`{"return":"${"x".repeat(5000)}"}`, 1024);
    line.parts[3]?.set([0xff], 10);
    expect(() => formatAgentAnswer(line, "guest-x", undefined)).toThrow("neither a return nor an error");
  });

  test("refuses more than 1 MiB besides long texts, and what is nested too deep", () => {
    const many = JSON.stringify({ return: Array(600_000).fill(1) });
    expect(() => format(many, 65_536)).toThrow(`more than ${MIB} bytes, not counting long texts`);
    expect(() => format(`{"return":${"[".repeat(1_000_000)}`, 65_536)).toThrow("more than 512 levels deep");
  });

  test("tells the agent's error in virsh's words", () => {
    expect(() => format('{"error":{"class":"GenericError","desc":"no such file"}}', 1024)).toThrow(
      "internal error: unable to execute QEMU agent command 'guest-x': no such file",
    );
  });
});

test("parseAgentAnswer() takes 1 MiB", () => {
  const text = "x".repeat(MIB - 20);
  expect(parseAgentAnswer(inParts(JSON.stringify({ return: text }), 65_536), "guest-x")).toEqual({
    return: text,
  });
  expect(() =>
    parseAgentAnswer(inParts(JSON.stringify({ return: `${text}xxxxxxxxxx` }), 65_536), "guest-x"),
  ).toThrow("more than 1048576 bytes");
});
