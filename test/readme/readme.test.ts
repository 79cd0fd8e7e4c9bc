import { afterAll, beforeAll, expect, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { blocksOf, firstMissing, PROMPT, sectionOf, typedIn } from "./shown.ts";
import { openTerminal } from "./terminal.ts";

// Types each command of README.md at a node, and compares its output with README.md.
// Starts the node "demo" as README.md says, and stops it.

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const README = await Bun.file(`${ROOT}README.md`).text();
const DEMO = sectionOf(README, "See it work");
const TOUR = sectionOf(README, "A five-minute tour");

/** Runs a command line and returns its standard output. Standard error goes to the test's. */
async function run(commandLine: string): Promise<{ readonly out: string; readonly code: number }> {
  const child = Bun.spawn(["bash", "-c", commandLine], { cwd: ROOT, stdin: "ignore", stderr: "inherit" });
  const [out, code] = await Promise.all([new Response(child.stdout).text(), child.exited]);
  return { out, code };
}

/** Returns the command. Throws if README.md's tour does not name it. */
function named(command: string): string {
  if (!TOUR.includes(`\`${command}\``)) throw new Error(`README.md's tour has no \`${command}\``);
  return command;
}

let demo = { out: "", code: -1 };
beforeAll(async () => {
  demo = await run(named("scripts/demo --keep"));
}, 1_200_000);
afterAll(async () => {
  await run("SVIRT_NODE=demo scripts/node stop");
}, 60_000);

test("the demo prints what README.md shows of it", () => {
  expect(demo.code).toBe(0);
  const [commands, ...shown] = blocksOf(DEMO);
  expect(commands?.map((line) => line.split("#")[0]?.trim())).toEqual(["scripts/demo", "scripts/test"]);
  expect(shown).toHaveLength(2);
  for (const block of shown) expect(firstMissing(gapsAtEnds(block), demo.out)).toBeUndefined();
});

/** Adds gaps: a table of the demo shows some of its accesses, each as three lines. */
function gapsAtEnds(block: readonly string[]): readonly string[] {
  return block.flatMap((line, at) => (at > 0 && /^\S.* \/srv\/demo\//.test(line) ? ["...", line] : [line]));
}

test("each command of README.md's tour prints what README.md shows", async () => {
  const terminal = await openTerminal(`cd ${ROOT} && ${named("SVIRT_NODE=demo scripts/node ssh")}`, PROMPT);
  const typed = typedIn(TOUR);
  expect(typed.length).toBeGreaterThan(10);
  const faults: string[] = [];
  for (const { command, lines } of typed) {
    const out = await terminal.type(command);
    const missing = firstMissing(lines, out, true);
    if (missing !== undefined)
      faults.push(`${PROMPT}${command}\nprints:\n${out}\nREADME.md shows in its place: ${missing}`);
  }
  await terminal.end();
  expect(faults.join("\n")).toBe("");
}, 300_000);

/** State that the end of alice could leave or change. */
const LEFT = [
  { what: "a file of hers", change: "touch /var/lib/svirt/left-$uuid", undo: "rm /var/lib/svirt/left-$uuid" },
  { what: "a control group", change: "mkdir /sys/fs/cgroup/$uuid", undo: "rmdir /sys/fs/cgroup/$uuid" },
  { what: "a mode", change: "chmod 600 /srv/demo/base.img", undo: "chmod 755 /srv/demo/base.img" },
  { what: "a mark", change: "setfattr -n trusted.x -v 1 /dev/vdd", undo: "setfattr -x trusted.x /dev/vdd" },
  { what: "another reading of her", change: "echo >>$kept/$uuid", undo: "cat $kept.before >$kept/$uuid" },
  { what: "another definition", change: "sed -i s/vda/vdz/ $xml", undo: "sed -i s/vdz/vda/ $xml" },
];

test.each(LEFT)(
  "the demo fails when an end leaves $what",
  async ({ change, undo }) => {
    const { out, code } = await run(`SVIRT_NODE=demo scripts/node ssh sh -s <<'END'
      uuid=a11ce000-5e11-4c0d-8a2d-0000000000a1 kept=/var/lib/svirt/completed xml=/etc/svirt/domains/alice.xml
      for guest in alice bob; do [ "$(svirt domstate $guest)" = 'shut off' ] || svirt destroy $guest >/dev/null; done
      cat $kept/$uuid >$kept.before
      check() { sh /srv/demo/ends.sh check; echo "exit code $?"; }
      check; ${change}; check; ${undo}; check
      rm $kept.before
END`);
    expect(code).toBe(0);
    const [before, during, after, rest] = out.split(/(?<=exit code \d+)\n/);
    expect({ before, during, after, rest }).toEqual({
      before: "exit code 0",
      during: expect.stringMatching(/WRONG: (left: .*|not as it was before)\nexit code 1$/),
      after: "exit code 0",
      rest: "",
    });
  },
  60_000,
);

test("the tour's last command stops the node", async () => {
  expect((await run(named("SVIRT_NODE=demo scripts/node stop"))).code).toBe(0);
  expect((await run("SVIRT_NODE=demo scripts/node status")).out).toBe("stopped\n");
}, 60_000);
