import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { bootDisk, type LastAct } from "../../guest/boot-sector.ts";
import { type Notes, parseNotes } from "./notes.ts";

const NODE = fileURLToPath(new URL("../../../scripts/node", import.meta.url));
const LIBRARY = fileURLToPath(new URL("lib.sh", import.meta.url));
/** Folder of lib.sh on the node. */
const FOLDER = "/srv/lifecycle";
/**
 * Runs a file copied from standard input: no command line shows the script, and its commands have no input.
 */
const RUN_SCRIPT =
  'f=$(mktemp /tmp/svirt-test.XXXXXX); cat >"$f"; sh "$f" </dev/null; code=$?; rm -f "$f"; exit "$code"';
/**
 * A script goes on after its test has timed out, and may wait for minutes and then destroy the guest of
 * another test.
 */
const END_SCRIPTS = `
  for process in /proc/[0-9]*; do
    case $(tr '\\0' ' ' <$process/cmdline 2>/dev/null) in
      'sh /tmp/svirt-test.'*) kill -KILL "\${process#/proc/}" ;;
    esac
  done`;

/** Acts of the disks in FOLDER/boot. */
const BOOT: Readonly<Record<string, LastAct>> = {
  halt: { do: "halt" },
  off: { do: "power-off" },
  // About ten seconds: enough for a slow node to inspect the running guest.
  "off-later": { do: "power-off-later", ticks: 180 },
  button: { do: "power-off-by-button" },
  answer: { do: "answer" },
  paint: { do: "paint" },
  count: { do: "count" },
  eject: { do: "eject" },
};

/** Node that the tests of a file run on. */
const OWN = process.env["SVIRT_NODE"] ?? "main";

/**
 * Runs scripts/node with these arguments for the node of that name. Throws if it fails, with all its output.
 */
export async function node(words: readonly string[], input = "", name = OWN): Promise<string> {
  const env = { ...process.env, SVIRT_NODE: name };
  const child = Bun.spawn([NODE, ...words], {
    env,
    stdin: new Blob([input]),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (code === 0) return stdout;
  throw new Error(`Cannot run scripts/node ${words[0]}: exit ${code}\n${stdout.slice(-4000)}\n${stderr}`);
}

/** Runs a script on the node with the functions of lib.sh, and returns its notes. Throws if it fails. */
export async function onNode(script: string, name = OWN): Promise<Notes> {
  return parseNotes(await node(["ssh", RUN_SCRIPT], `. ${FOLDER}/lib.sh\n${script}\n`, name));
}

/**
 * Copies the library and the boot disks to the node. Ends scripts of an earlier run, and removes its remains.
 */
export async function prepare(name = OWN): Promise<void> {
  await node(["ssh", END_SCRIPTS], "", name);
  const folder = await mkdtemp(`${tmpdir()}/svirt-lifecycle-`);
  try {
    await mkdir(`${folder}/lifecycle/boot`, { recursive: true });
    await Bun.write(`${folder}/lifecycle/lib.sh`, Bun.file(LIBRARY));
    for (const [name, act] of Object.entries(BOOT))
      await Bun.write(`${folder}/lifecycle/boot/${name}`, bootDisk("", act));
    await Bun.write(`${folder}/lifecycle/boot/kernel`, idleKernel());
    await node(["put", `${folder}/lifecycle`, FOLDER.replace(/\/[^/]*$/, "")], "", name);
  } finally {
    await rm(folder, { recursive: true });
  }
  await onNode("clean", name);
}

/** Restores the node. */
export async function tearDown(name = OWN): Promise<void> {
  await onNode(`clean; rm -rf ${FOLDER}`, name);
}

/**
 * Returns the smallest kernel that QEMU accepts: the header of protocol 2.3, and code that halts.
 * linux/x86/boot.rst
 */
function idleKernel(): Uint8Array {
  const kernel = new Uint8Array(4096);
  kernel[0x1f1] = 1; // setup_sects
  kernel.set([0x55, 0xaa], 0x1fe);
  kernel.set([0xeb, 0x66], 0x200); // jmp 0x268
  kernel.set(new TextEncoder().encode("HdrS"), 0x202);
  kernel.set([0x03, 0x02], 0x206);
  kernel[0x211] = 1; // loadflags: LOADED_HIGH
  kernel.set([0xff, 0xff, 0xff, 0x37], 0x22c); // initrd_addr_max
  kernel.set([0xfa, 0xf4, 0xeb, 0xfd], 0x268); // cli; again: hlt; jmp again
  return kernel;
}
