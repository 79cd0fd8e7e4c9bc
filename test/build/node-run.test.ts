import { expect } from "bun:test";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { testInTurn } from "../sample.ts";

const inTurn = testInTurn(3);

// The run of a queue by scripts/lib/node-run.sh in a folder of its own, where scripts/node stands for nodes.

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/**
 * Notes each call in the file calls. The state of a node is the content of its file state-NAME, which a start
 * empties.
 */
const NODE = `#!/bin/sh
case $1 in
  stalls) echo 0 ;;
  ssh) cat >/dev/null; echo state; cat state-$SVIRT_NODE 2>/dev/null; exit 0 ;;
  put) ;;
  *) echo "$1 $SVIRT_NODE" >>calls ;;
esac
[ "$1" != start ] || rm -f state-$SVIRT_NODE`;

const RUN = `
  readonly CLIENTS=/node/clients/
  start_results
  queue_of "$@"
  run_queue
  sum_up || true`;

interface Run {
  readonly out: string;
  readonly err: string;
  readonly results: readonly string[];
  readonly calls: readonly string[];
  readonly first: string;
}

/** Runs the files in the folder, in the given order on one or two nodes. */
function runQueue(files: Readonly<Record<string, string>>, env: Readonly<Record<string, string>> = {}): Run {
  const folder = mkdtempSync(`${tmpdir()}/svirt-run-`);
  const read = (path: string) =>
    existsSync(`${folder}/${path}`) ? readFileSync(`${folder}/${path}`, "utf8") : "";
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(`${folder}/${path}`), { recursive: true });
    writeFileSync(`${folder}/${path}`, text);
  };
  try {
    for (const path of ["scripts/lib", "scripts/gate", "scripts/gate.ts"])
      cpSync(ROOT + path, `${folder}/${path}`, { recursive: true });
    write("scripts/node", NODE);
    chmodSync(`${folder}/scripts/node`, 0o755);
    write("test/ledger.tsv", "");
    for (const [name, text] of Object.entries(files)) write(`test/node/${name}.test.ts`, text);
    const sourced = ["setup", "test-files", "count", "races", "node-run"].map(
      (name) => `. scripts/lib/${name}.sh`,
    );
    const words = Object.keys(files).map((name) => `./test/node/${name}.test.ts`);
    const child = Bun.spawnSync(
      ["bash", "-euo", "pipefail", "-c", [...sourced, RUN].join("\n"), "bash", ...words],
      {
        cwd: folder,
        env: {
          ...process.env,
          PATH: `${dirname(process.execPath)}:${process.env["PATH"]}`,
          SVIRT_CACHE: folder,
          SVIRT_NODE: "",
          ...env,
        },
      },
    );
    return {
      out: child.stdout.toString(),
      err: child.stderr.toString(),
      results: read("dist/junit/results").trimEnd().split("\n"),
      calls: read("calls").trimEnd().split("\n"),
      first: read("dist/junit/node-a.first.log"),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const HOLDS = `import { test } from "bun:test"; test("holds", () => undefined);`;

/** Fails in its first run, with this expectation in the later ones. */
function failsOnce(later = "true"): string {
  return `import { existsSync, writeFileSync } from "node:fs";
    import { expect, test } from "bun:test";
    test("comes in time", () => {
      const ran = existsSync("ran");
      writeFileSync("ran", "");
      expect(ran).toBe(${later});
    });`;
}

inTurn("a failed file runs once more, alone, on a node that has booted for it", () => {
  const { calls, err, first, out, results } = runQueue({ a: failsOnce(), b: HOLDS });
  expect(out).toBe("2 passed, 0 failed, 0 skipped\n");
  expect(err.trimEnd().split("\n").at(-1)).toBe("raced: test/node/a.test.ts: comes in time");
  expect(results.toSorted()).toEqual([
    expect.stringMatching(/^\.\/test\/node\/b\.test\.ts\t\d+\tpassed$/),
    expect.stringMatching(/^test\/node\/a\.test\.ts\t\d+\traced\tcomes in time$/),
  ]);
  expect(first).toContain("(fail) comes in time");
  // Both nodes stop, and one boots.
  expect(calls.slice(-3).toSorted()).toEqual(["start test-1", "stop test-1", "stop test-2"]);
  expect(calls.at(-1)).toBe("start test-1");
});

inTurn("a file that fails again has failed, and so has one that is never forgiven", () => {
  const again = runQueue({ a: failsOnce("undefined"), b: HOLDS });
  expect(again.out).toBe("1 passed, 1 failed, 0 skipped\n");
  expect(again.results).toContainEqual(expect.stringMatching(/^\.\/test\/node\/a\.test\.ts\t\d+\tfailed$/));
  const labels = runQueue({ labels: failsOnce() });
  expect(labels.out).toBe("0 passed, 1 failed, 0 skipped\n");
  expect(labels.err).not.toContain("raced: ");
});

inTurn("a skip on a node is a failure", () => {
  const skips = `import { test } from "bun:test"; test.skip("is skipped", () => undefined);`;
  expect(runQueue({ a: skips }).out).toBe("0 passed, 1 failed, 0 skipped\n");
});

inTurn("a node that a file has changed boots afresh before the next file, and not after the last", () => {
  const changes = `import { writeFileSync } from "node:fs"; import { test } from "bun:test";
    test("changes its node", () => writeFileSync("state-" + process.env.SVIRT_NODE, "a label\\n"));`;
  // One node: the other one is busy for a second.
  const { calls, err } = runQueue({ a: changes, b: changes, c: changes });
  expect(err).toContain("left on node test-1 by ./test/node/");
  expect(err).toContain("> a label");
  const boots = calls.filter((call) => call.startsWith("start"));
  expect(boots).toHaveLength(3);
});

inTurn("a node runs the files in the order of the seed, which is printed", () => {
  const files = Object.fromEntries(["a", "b", "c"].map((name) => [name, HOLDS]));
  const { err } = runQueue(files, { SVIRT_SEED: "7", SVIRT_NODE: "one" });
  expect(err).toContain("SVIRT_SEED=7");
  const ran = [...err.matchAll(/after \d+ s: (\S+)/g)].map(([, file]) => file);
  const words = Object.keys(files).map((name) => `./test/node/${name}.test.ts`);
  const { stdout } = Bun.spawnSync([process.execPath, `${ROOT}scripts/gate.ts`, "order", "7", ...words], {
    cwd: ROOT,
  });
  expect(ran).toEqual(stdout.toString().match(/\S+$/gm) ?? []);
  expect(ran.toSorted()).toEqual(words);
});
