import { describe, expect, test } from "bun:test";
import { splitWords } from "../../../src/cli/arguments/split-words.ts";
import { SvirtError } from "../../../src/errors.ts";

/** Returns the arguments that sh makes of the line. */
function askShell(line: string): readonly string[] {
  const { stdout } = Bun.spawnSync(["sh", "-c", `printf '%s\\0' ${line}`]);
  return stdout.toString().split("\0").slice(0, -1);
}

describe("splitWords()", () => {
  test.each([
    "svirt list --all",
    "  svirt\t list  ",
    "svirt desc vm1 'two words' \"two more\"",
    `svirt desc vm1 it"'"s 'say "x"'`,
    "svirt desc vm1 ''",
    "svirt desc vm1 'a'\"b\"c",
    'svirt qemu-monitor-command vm1 \'{"execute": "query-status"}\'',
    "svirt domxml-to-native --xml=/srv/a=b.xml",
    "svirt desc vm1 'a;b|c&d$e`f\\g(h)<i>'",
    "svirt desc vm1 \"a;b|c&d(h)<i> 'x'\"",
    "svirt start größe",
  ])("splits %s as sh does", (line) => {
    expect(splitWords(line)).toEqual(askShell(line));
  });

  test("gives no word for nothing", () => {
    expect(splitWords("")).toEqual([]);
    expect(splitWords(" \t ")).toEqual([]);
  });

  test.each([..."|&;<>()$`\\\n\r"])("refuses %j outside of quotes, alone and in a word", (letter) => {
    for (const line of [`svirt list ${letter}`, `svirt list${letter}reboot`, `${letter}svirt list`]) {
      expect(() => splitWords(line)).toThrow(SvirtError);
    }
  });

  test.each([..."$`\\"])("refuses %j in double quotes, where a shell would act on it", (letter) => {
    expect(() => splitWords(`svirt desc vm1 "a${letter}b"`)).toThrow("svirt runs no shell");
  });

  test.each(["'", '"', "svirt desc vm1 'it", 'svirt desc vm1 a"', `'"`])(
    "refuses %s, a quote without end",
    (line) => {
      expect(() => splitWords(line)).toThrow("has no end");
    },
  );
});
