import { describe, expect, test } from "bun:test";
import { parseVolume } from "../../../../src/storage/volume/document.ts";
import { qcow2Bytes } from "../../../images/qcow2-bytes.ts";
import { makeMachine } from "../../../scenes/scene.ts";
import { runOn } from "../../in-memory.ts";

/** Characters that a terminal obeys, other than the line breaks of a command's output. */
const STRANGE = /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/u;

describe.each([
  ["a line break", "a\nb"],
  ["an escape sequence", "a\u001b[31mb"],
  ["a bell", "a\u0007b"],
  ["a tabulator", "a\tb"],
  ["C1", "a\u009bb"],
  ["a mark that turns letters round", "a\u202eb"],
])("of a file with %s in its name", (_, name) => {
  test.each([{ words: ["vol-dumpxml"] }, { words: ["vol-info"] }, { words: ["label", "show"] }])(
    "svirt $words tells no terminal to do anything",
    async ({ words }) => {
      const machine = makeMachine();
      machine.files.put(`/srv/${name}`, "file", { bytes: new Uint8Array(512) });
      for (const json of [[], ["--json"]]) {
        const { err, out } = await runOn(machine, ...words, ...json, `/srv/${name}`);
        expect(out + err).not.toMatch(STRANGE);
        if (json.length > 0)
          expect(JSON.stringify(JSON.parse(out))).toContain(JSON.stringify(name).slice(1, -1));
      }
    },
  );

  test("svirt vol-dumpxml gives XML with that very name, or refuses", async () => {
    const machine = makeMachine();
    machine.files.put(`/srv/${name}`, "file", { bytes: new Uint8Array(512) });
    const { code, err, out } = await runOn(machine, "vol-dumpxml", `/srv/${name}`);
    if (code === 0) expect(parseVolume(new TextEncoder().encode(out)).name).toBe(name);
    else expect(err).toContain("the name has a control character\nremedy: Rename the file, or use --json.");
  });

  test("and so of one whose header names such a file", async () => {
    const machine = makeMachine();
    machine.files.put("/srv/top", "file", {
      bytes: qcow2Bytes({ backingFile: `/srv/${name}`, extensions: [[0xe2792aca, "raw"]] }),
    });
    for (const words of [["vol-dumpxml"], ["vol-dumpxml", "--json"], ["vol-info"]]) {
      const { err, out } = await runOn(machine, ...words, "/srv/top");
      expect(out + err).not.toMatch(STRANGE);
    }
  });
});
