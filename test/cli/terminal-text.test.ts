import { describe, expect, test } from "bun:test";
import type { Output } from "../../src/cli/command.ts";
import { forTerminal } from "../../src/cli/terminal-text.ts";
import { visibleJson, visibleJsonBytes } from "../../src/cli/visible-json.ts";

/**
 * Characters that a terminal may obey: C0 but tabulator and newline, DEL, C1, and those of UAX #9 that change
 * the direction of text.
 */
const OBEYED = [
  ...range(0x00, 0x08),
  ...range(0x0b, 0x1f),
  ...range(0x7f, 0x9f),
  0x61c,
  0x200e,
  0x200f,
  0x2028,
  0x2029,
  ...range(0x202a, 0x202e),
  ...range(0x2066, 0x2069),
].map((code) => String.fromCodePoint(code));

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, at) => from + at);
}

/** Returns what each of the ways to print a text lets through. */
async function printed(text: string): Promise<readonly string[]> {
  const said: string[] = [];
  const keep = (part: string): void => void said.push(part);
  const output: Output = forTerminal({
    print: keep,
    printBytes: () => true,
    printSoon: (part) => Promise.resolve(keep(part) === undefined),
    warn: keep,
  });
  output.print(text);
  await output.printSoon(text);
  output.warn(text);
  return said;
}

describe("text for a terminal", () => {
  test("has none of the characters that a terminal obeys, however it is printed", async () => {
    const text = `a${OBEYED.join("b")}c\td\n`;
    const shown = await printed(text);
    expect(shown).toHaveLength(3);
    for (const each of shown) {
      expect(OBEYED.filter((letter) => each.includes(letter))).toEqual([]);
      expect([...each]).toHaveLength([...text].length);
      expect(each).toEndWith("c\td\n");
    }
  });

  test("keeps letters, blanks, joiners and emoji", async () => {
    const text = "ä € \u{1f468}\u200d\u{1f469} مر\u200cحبا\n";
    expect(await printed(text)).toEqual([text, text, text]);
  });

  test("keeps the end of a line of QEMU's human monitor, but no other carriage return", async () => {
    const [shown] = await printed("bus: pci.0\r\n  addr\r\r\n\rx");
    expect(shown).toBe("bus: pci.0\r\n  addr?\r\n?x");
  });

  test("that is XML has references, which a parser reads as the same characters", async () => {
    const [shown = ""] = await printed("<a>x\u202ey\u0085z\u007f</a>\n");
    expect(shown).toBe("<a>x&#8238;y&#133;z&#127;</a>\n");
  });

  test("may begin with a carriage return only as progress, which guests do not write", async () => {
    const [printedText, soon, warned] = await printed("\rSave: [10 %]\r");
    expect([printedText, soon, warned]).toEqual(["?Save: [10 %]?", "?Save: [10 %]?", "\rSave: [10 %]?"]);
  });
});

describe("JSON for a terminal", () => {
  const value = { a: `x${OBEYED.join("y")}`, "\u202e": "ä\u{e0001}" };

  test("has escapes, which a parser reads as the same characters", () => {
    const shown = visibleJson(JSON.stringify(value));
    expect(OBEYED.filter((letter) => shown.includes(letter))).toEqual([]);
    expect(JSON.parse(shown)).toEqual(value);
  });

  test("is the same in bytes, of which those in ASCII are passed on as they are", () => {
    const text = JSON.stringify(value);
    const bytes = visibleJsonBytes(new TextEncoder().encode(text));
    expect(new TextDecoder().decode(bytes)).toBe(visibleJson(text));
    const ascii = new TextEncoder().encode('{"return":"abc"}');
    expect(visibleJsonBytes(ascii)).toBe(ascii);
  });
});
