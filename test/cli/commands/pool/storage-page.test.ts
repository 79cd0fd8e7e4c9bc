import { expect, test } from "bun:test";
import { splitWords } from "../../../../src/cli/arguments/split-words.ts";
import { blocksOf, firstMissing, sectionOf, typedIn } from "../../../readme/shown.ts";
import { makeMachine } from "../../../scenes/scene.ts";
import { runOn } from "../../in-memory.ts";

const PAGE = await Bun.file(new URL("../../../../docs/storage.md", import.meta.url)).text();
const EXAMPLE = sectionOf(PAGE, "Create a pool and volumes");

test("each command of docs/storage.md prints what the page shows", async () => {
  const machine = makeMachine();
  machine.files.putFolder("/srv");
  const document = blocksOf(EXAMPLE).find(([first]) => first === "<domain type='kvm'>") ?? [];
  machine.files.put("/vm.xml", "file", { bytes: new TextEncoder().encode(document.join("\n")) });
  const typed = typedIn(EXAMPLE);
  expect(typed.length).toBeGreaterThan(15);
  for (const { command, lines } of typed) {
    const [svirt, ...words] = splitWords(command);
    expect(svirt).toBe("svirt");
    const { err, out } = await runOn(machine, ...words.map((word) => word.replace(/^vm\.xml$/, "/vm.xml")));
    const said = (out + err).replaceAll("/vm.xml", "vm.xml");
    expect([command, firstMissing(lines, said, true) ?? said]).toEqual([command, said]);
  }
});
