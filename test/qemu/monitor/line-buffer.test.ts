import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { joinLine, LineBuffer } from "../../../src/qemu/monitor/line-buffer.ts";

const encoder = new TextEncoder();
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

describe("LineBuffer", () => {
  test("gives the lines of a text however it is cut", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b", "\n"), maxLength: 300 });
    fc.assert(
      fc.property(letters, fc.array(fc.nat(300), { maxLength: 20 }), (whole, cuts) => {
        const edges = [0, ...cuts.toSorted((a, b) => a - b), whole.length];
        const buffer = new LineBuffer();
        const lines = edges
          .slice(1)
          .flatMap((edge, at) => buffer.add(encoder.encode(whole.slice(edges[at], edge))));
        const expected = whole.split("\n");
        expect(lines.map((line) => text(joinLine(line)))).toEqual(expected.slice(0, -1));
        expect(lines.map(({ bytes }) => bytes)).toEqual(expected.slice(0, -1).map(({ length }) => length));
        expect(buffer.pendingBytes).toBe(expected.at(-1)?.length ?? 0);
      }),
    );
  });

  test("keeps nothing of the caller's buffer", () => {
    const [buffer, piece] = [new LineBuffer(), encoder.encode("ab")];
    buffer.add(piece);
    piece.fill(0);
    expect(buffer.add(encoder.encode("c\n")).map((line) => text(joinLine(line)))).toEqual(["abc"]);
  });

  test("takes a long line byte by byte, and keeps it in few parts", () => {
    const [buffer, letter] = [new LineBuffer(), encoder.encode("x")];
    const bytes = 3_000_000;
    for (let at = 0; at < bytes; at += 1) buffer.add(letter);
    const [line] = buffer.add(encoder.encode("\n"));
    expect(line?.bytes).toBe(bytes);
    expect(line?.parts.length).toBeLessThan(100);
  });
});
