import { expect, test } from "bun:test";
import {
  listLacking,
  listMissing,
  VIRSH_COMMANDS,
  virshOptionsOf,
} from "../../scripts/docs/virsh-commands.ts";
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

test.skipIf(version !== "11.3.0")(
  `so are its options, which the list has by command (here: ${version})`,
  () => {
    const { stdout } = Bun.spawnSync(["virsh", VIRSH_COMMANDS.map((name) => `help ${name}`).join(";")]);
    const helps = stdout.toString().split("  NAME\n").slice(1);
    const found = helps.map((help) =>
      [...help.matchAll(/^ {4}\[?(?:-\w \| )?--([\w-]+)/gm)].map(([, name = ""]) => name),
    );
    expect(found).toEqual(VIRSH_COMMANDS.map((name) => [...virshOptionsOf(name)]));
  },
);

test("an option of virsh is in svirt's command or in the list of those that are missing", async () => {
  const specs = await Promise.all([...COMMANDS.values()].map(async (load) => (await load()).command.spec));
  const lacking = new Map(listLacking(specs).map(({ name, options }) => [name, options]));
  for (const { name, operands, options } of specs) {
    const own = [...operands, ...options].map((known) => known.name);
    const left = virshOptionsOf(name).filter((option) => !own.includes(option));
    expect([name, lacking.get(name) ?? []]).toEqual([name, left]);
  }
  expect(lacking.get("start")).toContain("autodestroy");
});
