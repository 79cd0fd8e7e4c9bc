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
import { killAt, lookAt, runStruck, type Scene, wholeOf } from "./strike-command.ts";

const TIMEOUT_MS = 240_000;
const SCENES: Readonly<Record<string, readonly Scene[]>> = {
  ...GUEST_SCENES,
  ...NETWORK_SCENES,
  ...DEVICE_SCENES,
  ...STORAGE_SCENES,
};
const EACH = Object.entries(SCENES).flatMap(([name, scenes]) =>
  scenes.map((scene) => ({ title: scene.name === undefined ? name : `${name} (${scene.name})`, scene })),
);

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

test("svirt plan prints the steps of each of these commands that has a plan, as text and JSON, and changes nothing", async () => {
  const planned: string[] = [];
  for (const { scene, title } of EACH) {
    const [name = ""] = scene.words;
    if ((await COMMANDS.get(name)?.())?.command.plan === undefined) continue;
    planned.push(name);
    for (const option of [[], ["--json"]]) {
      const machine = await scene.prepare();
      const before = wholeOf(machine);
      const { code, said, svirt } = await runStruck(machine, ["plan", ...scene.words, ...option]);
      expect([title, code, svirt.changes]).toEqual([title, 0, []]);
      expect(wholeOf(machine)).toEqual(before);
      if (option.length === 0) expect([title, said]).toEqual([title, expect.stringMatching(/^ {2}1 {2}\S/)]);
      else expect([title, JSON.parse(said).steps.length > 0]).toEqual([title, true]);
    }
  }
  // Networks, devices and names have no change without a plan.
  const without = Object.keys({ ...NETWORK_SCENES, ...DEVICE_SCENES }).filter(
    (name) => !planned.includes(name),
  );
  expect(without).toEqual(["net-edit", "net-desc", "net-metadata"]);
  expect(planned).toContain("domrename");
});
