import { expect, test } from "bun:test";
import { splitWords } from "../../../../src/cli/arguments/split-words.ts";
import { blocksOf, firstMissing, sectionOf, typedIn } from "../../../readme/shown.ts";
import { makeMachine } from "../../../scenes/scene.ts";
import { runOn } from "../../in-memory.ts";

const PAGE = await Bun.file(new URL("../../../../docs/networks.md", import.meta.url)).text();
const EXAMPLE = sectionOf(PAGE, "An example");

test("each command of docs/networks.md prints what the page shows", async () => {
  const machine = makeMachine();
  for (const name of ["eth1", "eth2", "eth3"]) machine.taps.addBridge(name);
  for (const [root, file] of [
    ["<network>", "lan.xml"],
    ["<domain type='kvm'>", "web.xml"],
  ] as const) {
    const document = blocksOf(EXAMPLE).find(([first]) => first === root) ?? [];
    machine.files.put(`/${file}`, "file", { bytes: new TextEncoder().encode(document.join("\n")) });
  }
  const typed = typedIn(EXAMPLE);
  expect(typed.length).toBeGreaterThan(12);
  for (const { command, lines } of typed) {
    const [svirt, ...words] = splitWords(command);
    expect(svirt).toBe("svirt");
    const { err, out } = await runOn(machine, ...words.map((word) => word.replace(/^(\w+\.xml)$/, "/$1")));
    const said = (out + err).replaceAll(/\/(lan|web)\.xml/g, "$1.xml");
    expect([command, firstMissing(lines, said, true) ?? said]).toEqual([command, said]);
  }
});
