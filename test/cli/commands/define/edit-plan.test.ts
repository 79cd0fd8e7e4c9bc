import { describe, expect, test } from "bun:test";
import { putText } from "../../../scenes/scene.ts";
import { runOn } from "../../in-memory.ts";
import { GUEST_SCENES } from "../../killed/guest-scenes.ts";
import { NETWORK_SCENES } from "../../killed/network-scenes.ts";
import { STORAGE_SCENES } from "../../killed/storage-scenes.ts";
import { type Scene, wholeOf } from "../../killed/strike-command.ts";

const SCENES = { ...GUEST_SCENES, ...NETWORK_SCENES, ...STORAGE_SCENES };

/** Commands of an editor, and the commands that store the same text from a file. */
const EDITORS = [
  ["edit", "define"],
  ["net-edit", "net-define"],
  ["pool-edit", "pool-define"],
  ["nwfilter-edit", "nwfilter-define"],
] as const;

/** Returns the machine of the scene of an editor, its command line, and the text that the caller writes. */
async function prepared(name: string) {
  const scene: Scene | undefined = SCENES[name]?.[0];
  if (scene === undefined) throw new Error(`no scene of ${name}`);
  const machine = await scene.prepare();
  const { edit } = machine;
  const texts: string[] = [];
  machine.edit = async (text) => {
    const edited = await edit(text);
    texts.push(edited);
    return edited;
  };
  return { machine, words: scene.words, texts };
}

describe.each(EDITORS)("svirt plan %s, and its --dry-run,", (name, define) => {
  test(`print what svirt plan ${define} prints of the new text, and change nothing`, async () => {
    const { machine, words, texts } = await prepared(name);
    const before = wholeOf(machine);
    const printed = await runOn(machine, "plan", ...words);
    expect(printed).toMatchObject({ code: 0, err: "" });
    expect(wholeOf(machine)).toEqual(before);
    expect([...machine.files.walk()].filter(({ path }) => /^\/run\/svirt\/edit\/./.test(path))).toEqual([]);
    expect(await runOn(machine, ...words, "--dry-run")).toEqual(printed);
    expect(wholeOf(machine)).toEqual(before);
    const [json, jsonFirst] = [
      ["plan", ...words, "--json"],
      ["plan", "--json", ...words],
    ];
    const parsed = JSON.parse((await runOn(machine, ...json)).out);
    expect(JSON.parse((await runOn(machine, ...jsonFirst)).out)).toEqual(parsed);
    const [text = "", ...others] = texts;
    expect(others).toEqual([text, text, text]);
    putText(machine, "/srv/new.xml", text);
    expect(await runOn(machine, "plan", define, "/srv/new.xml")).toEqual(printed);
    expect(JSON.parse((await runOn(machine, "plan", define, "/srv/new.xml", "--json")).out)).toEqual(parsed);
  });

  test("number the steps as --crash-drill does: the command carries out the same list", async () => {
    const { machine, words } = await prepared(name);
    const { steps } = JSON.parse((await runOn(machine, "plan", ...words, "--json")).out);
    const before = wholeOf(machine);
    await runOn(machine, ...words, "--crash-drill", "before:1").catch(() => undefined);
    expect(wholeOf(machine)).toEqual(before);
    const last = await prepared(name);
    await runOn(last.machine, ...last.words, "--crash-drill", `after:${steps.length}`).catch(() => undefined);
    const whole = await prepared(name);
    await runOn(whole.machine, ...whole.words);
    expect(wholeOf(last.machine)).toEqual(wholeOf(whole.machine));
  });

  test("print no step for an unchanged text", async () => {
    const { machine, words } = await prepared(name);
    machine.edit = (text) => text;
    for (const line of [
      ["plan", ...words],
      [...words, "--dry-run"],
    ])
      expect(await runOn(machine, ...line)).toEqual({ code: 0, out: "No step is needed\n\n", err: "" });
  });

  test("refuse a text as the command does, and keep it", async () => {
    const { machine, words } = await prepared(name);
    machine.edit = (text) => text.replace(/<\/\w+>\s*$/, "<frob/>$&");
    const refused = await runOn(machine, ...words);
    expect(refused).toMatchObject({
      code: 2,
      err: expect.stringContaining("Correct your text in /run/svirt/edit/"),
    });
    const after = wholeOf(machine);
    expect(await runOn(machine, "plan", ...words)).toEqual(refused);
    expect(await runOn(machine, ...words, "--dry-run")).toEqual(refused);
    expect(wholeOf(machine)).toEqual(after);
    expect([...machine.files.walk()].filter(({ path }) => /^\/run\/svirt\/edit\/./.test(path))).toHaveLength(
      1,
    );
  });
});
