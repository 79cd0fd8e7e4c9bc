import { describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";

const LABEL_TREE = fileURLToPath(new URL("../../image/label-tree", import.meta.url));
const ALL = "/.*\tsystem_u:object_r:usr_t:s0\n";

/** Runs label-tree on a root with one file, with these rules as the policy. */
function label(rules: string): { readonly code: number; readonly err: string } {
  const folder = mkdtempSync(`${tmpdir()}/svirt-label-`);
  try {
    const contexts = `${folder}/policy/etc/selinux/default/contexts/files`;
    mkdirSync(contexts, { recursive: true });
    writeFileSync(`${contexts}/file_contexts`, rules);
    mkdirSync(`${folder}/root/usr`, { recursive: true });
    writeFileSync(`${folder}/root/usr/program`, "");
    const { exitCode, stderr } = Bun.spawnSync([LABEL_TREE, `${folder}/policy`, `${folder}/root`]);
    return { code: exitCode, err: stderr.toString() };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Rules written for the test; test/policy/image-labels.test.ts has label-tree with the built policy. */
describe("image/label-tree", () => {
  test("refuses a root with a file that the policy gives no label", () => {
    const said = label(`${ALL}/usr/program\t<<none>>\n`);
    expect(said.code).toBe(1);
    expect(said.err).toContain("these have no label\n./usr/program\n");
  });

  test("refuses a policy whose rules cannot be read", () => {
    const said = label(`${ALL}/usr/program\tnonsense of words\n`);
    expect(said.code).toBe(1);
    expect(said.err).toMatch(/^Cannot label .*setfiles says\n.*line 2/);
  });
});
