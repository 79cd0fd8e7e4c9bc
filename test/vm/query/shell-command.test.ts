import { expect, test } from "bun:test";
import { formatShellCommand } from "../../../src/vm/query/shell-command.ts";

test("formatShellCommand() begins a line at each option", () => {
  expect(formatShellCommand(["/bin/q", "-S", "-m", "size=1k", "-x", '{"a":1}'])).toBe(
    `/bin/q \\\n-S \\\n-m size=1k \\\n-x '{"a":1}'`,
  );
});

test.each(["", "a b", "it's", "''", "$HOME", "`id`", "a\nb", "\\", "*", "~", "#a", "é", "a;b", "a|b&c", "!"])(
  "a shell gives the word %j back",
  (word) => {
    const shell = Bun.spawnSync(["sh", "-c", formatShellCommand(["printf", "%s/", word, "-", "--", word])]);
    expect(shell.stdout.toString()).toBe([word, "-", "--", word].map((each) => `${each}/`).join(""));
  },
);
