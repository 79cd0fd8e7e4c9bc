import { describe, expect, test } from "bun:test";
import { isCommandName, useOfCommand } from "../../../src/access/command-uses.ts";
import { weakestKey } from "../../../src/access/uses.ts";
import { COMMANDS } from "../../../src/cli/commands.ts";
import { sampleOf } from "../../sample.ts";
import { DEVICE_SCENES } from "./device-scenes.ts";
import { ELSEWHERE, LASTING_NOTHING } from "./elsewhere.ts";
import { GUEST_SCENES } from "./guest-scenes.ts";
import { NETWORK_SCENES } from "./network-scenes.ts";
import { STORAGE_SCENES } from "./storage-scenes.ts";
import { killAt, listTitled, lookAt, runStruck, type Scene, wholeOf } from "./strike-command.ts";

const TIMEOUT_MS = 240_000;
const SCENES: Readonly<Record<string, readonly Scene[]>> = {
  ...GUEST_SCENES,
  ...NETWORK_SCENES,
  ...DEVICE_SCENES,
  ...STORAGE_SCENES,
};
const EACH = listTitled(SCENES);

test("every command that can change anything has a scene, a test of its kills elsewhere, or a reason why nothing of it lasts", () => {
  const changing = [...COMMANDS.keys()].filter((name) => {
    const use = isCommandName(name) ? useOfCommand(name) : undefined;
    return typeof use !== "string" || weakestKey(use) !== "read-only";
  });
  const listed = [...Object.keys(SCENES), ...ELSEWHERE.keys(), ...LASTING_NOTHING.keys()];
  expect(listed.toSorted()).toEqual(changing.toSorted());
});

test.each([...ELSEWHERE])("svirt %s is killed at its calls by %s", async (_, file) => {
  const text = await Bun.file(new URL(`../../${file}`, import.meta.url)).text();
  expect(text).toMatch(/beStruck|strikeEverywhere|leavesNothing|comesAndGoesWhole|describeDeaths|strace/);
});

describe("svirt, killed before, within and after each call that changes something", () => {
  test.each(EACH)(
    "by $title, leaves nothing that the audit does not name, and a recovery or the next command makes it whole",
    async ({ scene }) => {
      const states = await lookAt(scene);
      expect(states.before).not.toEqual(states.after);
      for (const strike of sampleOf(states.instants)) await killAt(scene, states, strike);
    },
    TIMEOUT_MS,
  );
});

/** Whether svirt has steps of a command, of its own or by its dry run. */
async function hasPlan([name = ""]: readonly string[]): Promise<boolean> {
  const command = (await COMMANDS.get(name)?.())?.command;
  return (
    command?.plan !== undefined || command?.spec.options.some((option) => option.name === "dry-run") === true
  );
}

/** Calls of a plan whose command lets the caller edit a text in a file. */
const EDITING = ["makeFolder", "writeText", "removeFile"];

/** Returns what svirt plan prints for a scene; undefined if it has no steps of a guest in that state. */
async function planOf({ prepare, words }: Scene, ...option: readonly string[]): Promise<string | undefined> {
  const machine = await prepare();
  const before = wholeOf(machine);
  const { code, said, svirt } = await runStruck(machine, ["plan", ...words, ...option]);
  // A lock is held for the checks, and whether a folder keeps labels is asked by writing its own label again.
  const others = svirt.changes.filter((name) => name !== "setXattr" && name !== "lock");
  const edited = words[0]?.endsWith("edit") === true ? EDITING : [];
  expect([words[0], others]).toEqual([words[0], edited]);
  expect(wholeOf(machine)).toEqual(before);
  return code === 0 ? said : undefined;
}

test("svirt plan prints the steps of each of these commands, as text and JSON, and changes nothing", async () => {
  const planned = new Set<string>();
  for (const { scene } of EACH) {
    const [text, json] = (await hasPlan(scene.words))
      ? [await planOf(scene), await planOf(scene, "--json")]
      : [];
    if (text === undefined || json === undefined) continue;
    expect(text).toMatch(/^ {2}1 {2}\S/);
    const printed = JSON.parse(json);
    expect([scene.words, (printed.steps ?? printed).length > 0]).toEqual([scene.words, true]);
    planned.add(scene.words[0] ?? "");
  }
  expect(Object.keys(SCENES).filter((name) => !planned.has(name))).toEqual([]);
});
