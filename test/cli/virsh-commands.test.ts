import { expect, test } from "bun:test";
import { listMissing, VIRSH_COMMANDS } from "../../scripts/docs/virsh-commands.ts";
import { COMMANDS } from "../../src/cli/commands.ts";

/** Commands of virsh's own shell. */
const SHELL = new Set(["cd", "connect", "echo", "exit", "help", "pwd", "quit"]);
const version =
  Bun.which("virsh") === null ? "none" : Bun.spawnSync(["virsh", "--version"]).stdout.toString().trim();

test.skipIf(version !== "11.3.0")(
  `the list of virsh's commands is virsh's (of 11.3.0; here: ${version})`,
  () => {
    const help = Bun.spawnSync(["virsh", "help"]).stdout.toString();
    const names = [...help.matchAll(/^ {4}(\S+)/gm)].map(([, name = ""]) => name);
    expect(VIRSH_COMMANDS.toSorted()).toEqual(names.filter((name) => !SHELL.has(name)).toSorted());
  },
);

test("a command of virsh is in svirt or in the list of those that are missing", () => {
  const missing = listMissing([...COMMANDS.keys()]);
  expect(missing).toContain("migrate");
  expect(missing.filter((name) => COMMANDS.has(name))).toEqual([]);
  expect(VIRSH_COMMANDS.filter((name) => !COMMANDS.has(name) && !missing.includes(name))).toEqual([]);
});
