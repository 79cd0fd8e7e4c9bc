// In turn: it takes seconds of a processor.
import { afterAll, describe, expect, test } from "bun:test";
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { COMMANDS } from "../../src/cli/commands.ts";
import { REPORT_FAULT } from "../../src/errors.ts";
import { shareOf } from "../sample.ts";
import { makeMachine } from "../scenes/scene.ts";
import { runOn } from "./in-memory.ts";
import { measuredRuns, type Outcome } from "./measured-runs.ts";

// A key that may only read must not exhaust the node. For any input, the shipped executable ends in bounded
// memory with an error message.

const SVIRT = new URL("../../dist/svirt", import.meta.url).pathname;
const MOST_RSS_BYTES = 300 * 1024 * 1024;
/** Not a measure: a test that takes longer waits forever or reads endless input. */
const TEST_MS = 240_000;
const TIB = 2 ** 40;
const MIB = 1 << 20;

/**
 * Arguments that pass a file to each command, by operand or option. INPUT is the file. They change nothing.
 */
const INPUTS: ReadonlyMap<string, readonly string[]> = new Map([
  ["define file", ["define", "INPUT"]],
  ["create file", ["create", "INPUT"]],
  ["plan domain", ["plan", "INPUT"]],
  ["validate file", ["validate", "INPUT"]],
  ["domxml-to-native xml", ["domxml-to-native", "qemu-argv", "INPUT"]],
  ["save --xml", ["save", "no-domain", "/dev/null", "--xml", "INPUT"]],
  ["restore file", ["restore", "INPUT"]],
  ["restore --xml", ["restore", "SAVED", "--xml", "INPUT"]],
  ["save-image-dumpxml file", ["save-image-dumpxml", "INPUT"]],
  ["attach-device file", ["attach-device", "no-domain", "INPUT"]],
  ["detach-device file", ["detach-device", "no-domain", "INPUT"]],
  ["update-device file", ["update-device", "no-domain", "INPUT"]],
  ["blockcopy --xml", ["blockcopy", "no-domain", "vda", "--xml", "INPUT"]],
  ["snapshot-create xmlfile", ["snapshot-create", "no-domain", "INPUT", "--redefine"]],
  ["set-user-sshkeys file", ["set-user-sshkeys", "no-domain", "u", "INPUT"]],
  ["net-define file", ["net-define", "INPUT"]],
  ["net-create file", ["net-create", "INPUT"]],
  ["net-update xml", ["net-update", "no-network", "add-last", "portgroup", "INPUT"]],
  ["pool-define file", ["pool-define", "INPUT"]],
  ["pool-create file", ["pool-create", "INPUT"]],
  ["secret-define file", ["secret-define", "INPUT"]],
  ["secret-set-value --file", ["secret-set-value", "no-secret", "--file", "INPUT"]],
  ["vol-create pool", ["vol-create", "INPUT", "/dev/null"]],
  ["vol-create file", ["vol-create", "FOLDER", "INPUT"]],
  ["vol-create-as pool", ["vol-create-as", "INPUT", "v", "1"]],
  ["vol-create-from pool", ["vol-create-from", "INPUT", "/dev/null", "no-volume"]],
  ["vol-create-from volume", ["vol-create-from", "no-pool", "/dev/null", "INPUT"]],
  ["vol-clone volume", ["vol-clone", "INPUT", "v"]],
  ["vol-resize volume", ["vol-resize", "INPUT", "1"]],
  ["vol-create-as name", ["vol-create-as", "FOLDER", "INPUT", "1"]],
  ["vol-create-from file", ["vol-create-from", "no-pool", "INPUT", "no-volume"]],
  ["vol-clone newname", ["vol-clone", "no-volume", "INPUT"]],
  ["vol-resize capacity", ["vol-resize", "no-volume", "INPUT"]],
  ["vol-list pool", ["vol-list", "INPUT"]],
  ["vol-upload volume", ["vol-upload", "INPUT", "/dev/null"]],
  ["vol-upload file", ["vol-upload", "no-volume", "INPUT"]],
  ["vol-download volume", ["vol-download", "INPUT", "/dev/null"]],
  ["vol-wipe volume", ["vol-wipe", "INPUT"]],
  ["vol-delete volume", ["vol-delete", "INPUT"]],
  ["vol-path volume", ["vol-path", "INPUT"]],
  ["vol-key volume", ["vol-key", "INPUT"]],
  ["vol-name volume", ["vol-name", "INPUT"]],
  ["vol-pool volume", ["vol-pool", "INPUT"]],
  ["vol-dumpxml volume", ["vol-dumpxml", "INPUT"]],
  ["vol-info volume", ["vol-info", "INPUT"]],
  ["save-image-define file", ["save-image-define", "INPUT", "/dev/null"]],
  ["save-image-define xml", ["save-image-define", "/dev/null", "INPUT"]],
  ["save-image-edit file", ["save-image-edit", "INPUT"]],
  ["managedsave-define xml", ["managedsave-define", "no-domain", "INPUT"]],
  ["nwfilter-define file", ["nwfilter-define", "INPUT"]],
  ["label show path", ["label", "show", "INPUT"]],
  ["label set path", ["label", "set", "INPUT", "system_u:object_r:etc_t:s0", "--dry-run"]],
  ["label restore path", ["label", "restore", "INPUT", "--dry-run"]],
  ["label release path", ["label", "release", "INPUT", "--machine", "a", "--dry-run"]],
  ["cpu-compare file", ["cpu-compare", "INPUT"]],
  ["cpu-baseline file", ["cpu-baseline", "INPUT"]],
  ["hypervisor-cpu-compare file", ["hypervisor-cpu-compare", "INPUT"]],
  ["hypervisor-cpu-baseline file", ["hypervisor-cpu-baseline", "INPUT"]],
  ["explain --file", ["explain", "--file", "INPUT"]],
]);

/**
 * Operands and options whose files svirt does not read: it writes or runs them, or passes them to a running
 * guest.
 */
const NOT_READ = [
  ...["save file", "dump file", "screenshot file", "vol-download file", "domcapabilities --emulatorbin"],
  ...[
    "hypervisor-cpu-compare --emulator",
    "hypervisor-cpu-baseline --emulator",
    "snapshot-create-as --memspec",
  ],
  ...["attach-disk source", "change-media source", "change-media path", "attach-interface source"],
  ...["blockcommit path", "blockcopy path", "blockpull path", "blockjob path", "blockresize path"],
];

const folder = mkdtempSync(join(tmpdir(), "svirt-hostile-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Creates a sparse file of that size, with this beginning. */
function sparse(name: string, sizeBytes: number, head: Uint8Array = new Uint8Array()): string {
  const path = join(folder, name);
  writeFileSync(path, head);
  truncateSync(path, sizeBytes);
  return path;
}

/** Returns the header of a libvirt save file that announces this many bytes of XML. */
function saveHead(dataBytes: number): Uint8Array {
  const head = Buffer.alloc(92);
  head.write("LibvirtQemudSave");
  head.writeUInt32LE(2, 16);
  head.writeUInt32LE(dataBytes, 20);
  return head;
}

/** Returns a header with all numbers at their maximum. qemu.git docs/interop/qcow2.rst */
function qcow2Head(): Uint8Array {
  const head = Buffer.alloc(512, 0xff);
  head.write("QFI\xfb", "latin1");
  head.writeUInt32BE(3, 4);
  return head;
}

function fifo(): string {
  const path = join(folder, "fifo");
  Bun.spawnSync(["mkfifo", path]);
  return path;
}

/** Creates a file of at least that size that repeats a text, each `#` replaced by a counter. */
function repeated(name: string, text: string, sizeBytes: number): string {
  const path = join(folder, name);
  const fd = openSync(path, "w");
  let at = 0;
  for (let total = 0; total < sizeBytes; ) {
    const count = Math.ceil(MIB / text.length);
    const numbered = (_: unknown, place: number): string => text.replaceAll("#", String(at + place));
    const block = text.includes("#") ? Array.from({ length: count }, numbered).join("") : text.repeat(count);
    at += count;
    total += writeSync(fd, block);
  }
  closeSync(fd);
  return path;
}

mkdirSync(join(folder, "folder"));
const DENIAL =
  'type=AVC msg=audit(1700000000.000:#): avc:  denied  { read } for  pid=1 comm="a" name="b#" dev="vda" ino=# ' +
  "scontext=system_u:system_r:svirt_t:s0:c1,c2 tcontext=system_u:object_r:var_t:s0 tclass=file permissive=0\n";

const HOSTILE: readonly (readonly [string, string])[] = [
  ["a FIFO that nobody writes to", fifo()],
  ["/dev/zero", "/dev/zero"],
  ["a terminal", "/dev/tty"],
  ["a folder", join(folder, "folder")],
  ["a file of 1 TiB", sparse("large", TIB)],
  ["a saved guest of 4 GiB of XML", sparse("saved", TIB, saveHead(0xffff_ffff))],
  ["a saved guest of 16 MiB of zeros", sparse("zeros", TIB, saveHead(16 * MIB))],
  ["a qcow2 image of large numbers", sparse("image", TIB, qcow2Head())],
  ["64 MiB of elements", repeated("elements.xml", "<a>", 64 * MIB)],
  ["64 MiB of JSON", repeated("lists.json", "[[[[", 64 * MIB)],
  ["64 MiB of denials", repeated("denials.log", DENIAL, 62 * MIB)],
  ["64 MiB of line breaks", repeated("lines.log", "\n", 63 * MIB)],
];

const measure = measuredRuns();

const run = (words: readonly string[], stdin?: string): Promise<Outcome> =>
  measure([SVIRT, ...words], stdin === undefined ? {} : { stdin });

/** Expects an exit without a signal, in bounded memory, with an error message on failure. */
function expectBounded({ exitCode, rssBytes, stderr }: Outcome): void {
  expect({ exitCode, stderr: stderr.slice(0, 300) }).toMatchObject({ exitCode: expect.any(Number) });
  expect(rssBytes).toBeLessThan(MOST_RSS_BYTES);
  if (exitCode !== 0) expect(stderr).toMatch(/^(?:warning: .*\n)*error: \S.*\nremedy: \S/);
  expect(stderr).not.toContain(REPORT_FAULT);
}

const specs = await Promise.all([...COMMANDS.values()].map(async (load) => (await load()).command.spec));

test("every operand and option that names a file is tried, or said not to be read", () => {
  const FILES = /^(?:file|xml|path|pool|volume|source|emulatorbin)$/;
  // The operand of a pool's commands is a name.
  const isName = (command: string, operand: string): boolean =>
    command.startsWith("pool-") && operand === "pool";
  const found = specs.flatMap(({ name, operands, options }) => [
    ...operands
      .filter((one) => FILES.test(one.name) && !isName(name, one.name))
      .map((one) => `${name} ${one.name}`),
    ...options.filter((one) => one.value?.toLowerCase() === "file").map((one) => `${name} --${one.name}`),
  ]);
  const known = [...INPUTS.keys(), ...NOT_READ, "domifaddr --source"];
  expect(found.filter((one) => !known.includes(one))).toEqual([]);
  expect(found.length).toBeGreaterThan(25);
});

describe.each([...INPUTS.values()].map((words, place) => ({ words, place })))(
  "svirt $words ends in bounded memory",
  ({ words, place }) => {
    const wordsFor = (input: string): readonly string[] =>
      words.map((word) =>
        word.replace("INPUT", input).replace("SAVED", join(folder, "zeros")).replace("FOLDER", folder),
      );

    // Each command begins with another file, so that a sample has all of them.
    test.each(shareOf(HOSTILE, place))(
      "with %s",
      async (_, input) => expectBounded(await run(wordsFor(input))),
      TEST_MS,
    );
  },
);

describe("standard input that does not end", () => {
  const reading = [...INPUTS.values()].filter((words) =>
    /^(?:define|create|plan|validate|explain|net-define|net-create|pool-define|pool-create|vol-create|secret-define)$/.test(
      words[0] ?? "",
    ),
  );

  test.each(reading.filter(({ length }) => length <= 3).map((words) => ({ words })))(
    "ends svirt $words",
    async ({ words }) => {
      const outcome = await run(
        words.map((word) => word.replace("INPUT", "-").replace("FOLDER", folder)),
        "/dev/zero",
      );
      expect(outcome.exitCode).not.toBe(0);
      expectBounded(outcome);
    },
    TEST_MS,
  );
});

test("a pipe that a shell names is standard input's like", async () => {
  const child = Bun.spawn(["bash", "-c", `"$1" validate <(echo '<domain')`, "bash", SVIRT], {
    stderr: "pipe",
  });
  expect(await new Response(child.stderr).text()).toContain("the tag of <domain> has no end");
});

describe("words of any number and length end every command", () => {
  test.each(specs.map(({ name }, place) => [name, place] as const))(
    "svirt %s",
    async (name, place) => {
      const machine = makeMachine();
      const lines = [
        Array.from({ length: 20_000 }, () => "x"),
        ["x".repeat(200_000)],
        ["--x".repeat(50_000)],
        Array.from({ length: 20_000 }, () => "--json"),
      ];
      for (const words of shareOf(lines, place)) {
        const { code } = await runOn(machine, ...name.split(" "), ...words);
        expect(code).toBeGreaterThanOrEqual(0);
      }
    },
    TEST_MS,
  );
});
