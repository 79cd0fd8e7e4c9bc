import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { sampleOf } from "../sample.ts";

// Runs dist/svirt and a probe from the same scripts/build with all files and variables that a compiled
// executable may obey. The control is the probe built by `bun build --compile` on the plain runtime. It obeys
// all but those that bun itself ignores. (--compile-exec-argv enables BUN_INSPECT_PRELOAD.)

interface Surrounding {
  readonly name: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly words?: readonly string[];
}

const ROOT = new URL("../../", import.meta.url).pathname;
const trial = mkdtempSync(join(tmpdir(), "svirt-hostile-"));
const evil = join(trial, "evil.js");
/** Builds, each with a probe: dist/svirt, and the slim one of the images and packages. */
const BUILDS = [
  { build: "svirt", options: [], svirt: join(ROOT, "dist/svirt"), probe: join(trial, "probe") },
  {
    build: "slim svirt",
    options: ["--slim"],
    svirt: join(trial, "svirt-slim"),
    probe: join(trial, "probe-slim"),
  },
] as const;
const CONTROL = join(trial, "control");

const EFFECTIVE: readonly Surrounding[] = [
  { name: ".env", files: { ".env": "SVIRT_PROBE=1\n" } },
  { name: "bunfig.toml", files: { "bunfig.toml": `preload = ["${evil}"]\n` } },
  variable("BUN_BE_BUN", "1", ["-e", "console.log('OBEYED')"]),
  variable("BUN_OPTIONS", `--preload=${evil}`),
  // The debugger listens on its own thread, so the probe waits for it.
  { name: "BUN_INSPECT", environment: { BUN_INSPECT: "127.0.0.1:0", SVIRT_PROBE_WAIT_MS: "300" } },
  variable("BUN_INSPECT_PRELOAD", evil),
  variable("BUN_JSC_dumpOptions", "1"),
  variable("BUN_JSC_useJIT", "0"),
  variable("BUN_BYTECODE_ORDER_OUT", "order"),
  variable("BUN_BYTECODE_DIGEST_OUT", "digest"),
  variable("NODE_CHANNEL_FD", "1"),
  variable("JavaScriptCoreUseJIT", "0"),
  variable("MIMALLOC_VERBOSE", "1"),
  variable("mimalloc_verbose", "1"),
  // Former name of an option.
  {
    name: "MIMALLOC_LARGE_OS_PAGES",
    environment: { MIMALLOC_LARGE_OS_PAGES: "1", MIMALLOC_SHOW_ERRORS: "1" },
  },
];

const HARMLESS: readonly Surrounding[] = [
  { name: "package.json", files: { "package.json": `{"type":"commonjs","main":"${evil}"}` } },
  { name: "tsconfig.json", files: { "tsconfig.json": `{"compilerOptions":{"paths":{"*":["${evil}"]}}}` } },
  {
    name: "node_modules",
    files: { "node_modules/valibot/index.js": "console.log('OBEYED')", "node_modules/bun/index.js": "!" },
  },
  variable("NODE_OPTIONS", `--require=${evil}`),
  variable("NODE_PATH", trial),
  variable("NODE_COMPILE_CACHE", "cache"),
  variable("BUN_RUNTIME_TRANSPILER_CACHE_PATH", "cache"),
  variable("BUN_INSPECT_CONNECT_TO", "s.sock"),
  variable("BUN_INSPECT_NOTIFY", "unix://s.sock"),
  variable("BUN_CONFIG_VERBOSE_FETCH", "1"),
  variable("BUN_TMPDIR", "cache"),
  variable("BUN_TRACE", "trace"),
  { name: "--inspect", words: ["--inspect"] },
];

const CHOSEN = sampleOf(EFFECTIVE);

beforeAll(() => {
  writeFileSync(evil, "console.log('OBEYED');\n");
  const probe = join(ROOT, "test/build/probe.ts");
  const build = join(ROOT, "scripts/build");
  for (const made of BUILDS) {
    run([build, ...made.options, "--output", made.svirt], ROOT);
    run([build, ...made.options, "--entry", probe, "--output", made.probe], ROOT);
  }
  const careless = ["build", "--compile", "--compile-exec-argv=--no-ffi-cc"];
  run([process.execPath, ...careless, probe, "--outfile", CONTROL], ROOT);
}, 300_000);
afterAll(() => rmSync(trial, { recursive: true }));

describe.each([...CHOSEN, ...sampleOf(HARMLESS)])("$name", (surrounding) => {
  test.each(BUILDS)("says nothing to $build", ({ svirt }) => {
    expect(inside(surrounding, svirt, ["version"])).toEqual(atHome(surrounding, svirt, ["version"]));
  });
  test.each(BUILDS)("says nothing to a program built like $build", ({ probe }) => {
    expect(inside(surrounding, probe, [])).toEqual(atHome(surrounding, probe, []));
  });
});

test.each(BUILDS)("the clean runs of $build are what they should be", ({ probe, svirt }) => {
  const { output, left } = inside({ name: "clean" }, probe, []);
  expect(JSON.parse(output)).toEqual({ arguments: [], sockets: 0, canSend: "undefined", ffi: true });
  expect(left).toEqual([]);
  expect(inside({ name: "clean" }, svirt, ["version"]).output).toContain("svirt");
});

test.each(CHOSEN)("$name does reach a program built with no care", (surrounding) => {
  expect(inside(surrounding, CONTROL, [])).not.toEqual(atHome(surrounding, CONTROL, []));
});

function variable(name: string, value: string, words: readonly string[] = []): Surrounding {
  return { name, environment: { [name]: value }, words };
}

const cleanRuns = new Map<string, ReturnType<typeof inside>>();

/**
 * Runs the executable with the same arguments and without hostile surroundings: once, since it says the same
 * each time.
 */
function atHome({ words = [] }: Surrounding, executable: string, verb: string[]): ReturnType<typeof inside> {
  const line = [executable, ...verb, ...words].join(" ");
  const result = cleanRuns.get(line) ?? inside({ name: "clean", words }, executable, verb);
  cleanRuns.set(line, result);
  return result;
}

/** Runs the executable in a new folder. Returns its output, its end and the files that it left. */
function inside(
  { files = {}, environment = {}, words = [] }: Surrounding,
  executable: string,
  verb: string[],
) {
  const folder = mkdtempSync(join(trial, "folder-"));
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  const before = new Set(readdirSync(folder));
  const result = Bun.spawnSync([executable, ...verb, ...words], {
    cwd: folder,
    env: { PATH: "/usr/bin:/bin", ...environment },
  });
  const left = readdirSync(folder).filter((file) => !before.has(file));
  return { output: result.stdout.toString(), errors: result.stderr.toString(), code: result.exitCode, left };
}

function run(command: string[], cwd: string): void {
  const { exitCode, stderr } = Bun.spawnSync(command, { cwd });
  if (exitCode !== 0) throw new Error(`Cannot run ${command.join(" ")}: ${stderr}`);
}
