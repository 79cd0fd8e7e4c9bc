import { describe, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { lackOf, makeFolder, onNewNode, TEST_MS } from "./client-node.ts";

// Debian's python3 has python3-libvirt; another one of the PATH may not.
const PYTHON = "/usr/bin/python3";
const hasModule = Bun.spawnSync([PYTHON, "-c", "import libvirt"]).exitCode === 0;
const ASIDE = lackOf(["virsh", PYTHON, ...(hasModule ? [] : ["python3-libvirt"])]);
const SCRIPT = new URL("../data/calls.py", import.meta.url).pathname;
const EVENTS = new URL("../data/events.py", import.meta.url).pathname;
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

  test(
    "gets the events of secrets, jobs, tuning and metadata, and registers for those of devices",
    () => {
      const [said] = onNewNode(folder, [`${PYTHON} ${EVENTS}`]);
      // VIR_SECRET_EVENT_DEFINED 0, _UNDEFINED 1; VIR_DOMAIN_METADATA_TITLE 1; VIR_DOMAIN_JOB_OPERATION_SAVE
      // 2; VIR_DOMAIN_JOB_COMPLETED 3
      expect(said?.out.split("\n")).toEqual([
        ...["secret 0 0", "value", "secret 1 0", "TUNABLE {'cputune.vcpupin0': '0'}"],
        ...["METADATA_CHANGE 1 None", "JOB_COMPLETED 2 0", "type 3"],
      ]);
    },
    TEST_MS,
  );
});
