import { describe, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { lackOf, makeFolder, onNewNode, TEST_MS } from "./client-node.ts";

// Debian's python3 has python3-libvirt; another one of the PATH may not.
const PYTHON = "/usr/bin/python3";
const hasModule = Bun.spawnSync([PYTHON, "-c", "import libvirt"]).exitCode === 0;
const ASIDE = lackOf(["virsh", PYTHON, ...(hasModule ? [] : ["python3-libvirt"])]);
const SCRIPT = new URL("../data/calls.py", import.meta.url).pathname;
const folder = makeFolder();
const pool = `/srv/${folder.slice(folder.lastIndexOf("/") + 1)}`;

describe.skipIf(ASIDE !== "")(`a script of python3-libvirt on svirt${ASIDE}`, () => {
  test(
    "calls functions of all subjects, and each gives what libvirt documents",
    () => {
      const [, said] = onNewNode(folder, [
        `mkdir ${pool}; truncate -s 1M ${pool}.img ${pool}.img2`,
        `${PYTHON} ${SCRIPT} ${pool} ${pool}.img`,
      ]);
      for (const path of [pool, `${pool}.img`, `${pool}.img2`, `${pool}.img.save`])
        rmSync(path, { recursive: true, force: true });
      expect(said).toMatchObject({ code: 0, err: "" });
      const calls = new Map<string, string>(Object.entries(JSON.parse(said?.out ?? "{}")));
      expect([...calls].filter(([, wrong]) => wrong !== "")).toEqual([]);
      expect(calls.size).toBeGreaterThan(90);
    },
    TEST_MS,
  );
});
