import { describe, expect, test } from "bun:test";
import { chmodSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { RealFolder } from "../../../real-host/folder.ts";

const EDITS = fileURLToPath(new URL("editor-caller.ts", import.meta.url));

function edit(path: string, environment: Readonly<Record<string, string>>) {
  const done = Bun.spawnSync([process.execPath, EDITS, path], {
    env: { PATH: process.env["PATH"] ?? "", ...environment },
    stderr: "pipe",
  });
  return { code: done.exitCode, err: done.stderr.toString() };
}

describe("Host.editFile()", () => {
  test("runs VISUAL before EDITOR, with its options and no shell", () => {
    using folder = new RealFolder();
    const editor = folder.file("editor", '#!/bin/sh\nprintf "%s\\n" "$@" >"$2"\n');
    chmodSync(editor, 0o755);
    const text = folder.file("a b;c$d");
    expect(edit(text, { EDITOR: "false", VISUAL: `${editor} -n` }).code).toBe(0);
    expect(readFileSync(text, "utf8")).toBe(`-n\n${text}\n`);
  });

  test.each([
    [
      "touch /tmp/x; vi",
      "Cannot run the editor 'touch /tmp/x; vi': svirt does not run editors through a shell",
    ],
    ["$(id)", "svirt does not run editors through a shell"],
    ["/nowhere/vi -n", "Cannot edit with /nowhere/vi -n: "],
    ["false", "it ended with 1"],
  ])("of %j says what is wrong", (editor, says) => {
    using folder = new RealFolder();
    const { code, err } = edit(folder.file("a"), { EDITOR: editor });
    expect([code, err]).toEqual([1, expect.stringContaining(says)]);
  });
});
