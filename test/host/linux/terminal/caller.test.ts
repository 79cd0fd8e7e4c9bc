import { ptr } from "bun:ffi";
import { describe, expect, test } from "bun:test";
import { closeSync, readFileSync } from "node:fs";
import { fcntl } from "../../../../src/host/linux/calls/fcntl.ts";
import { libc } from "../../../../src/host/linux/calls/libc.ts";
import { RealFolder } from "../../../real-host/folder.ts";
import { testInTurn } from "../../../sample.ts";

const inTurn = testInTurn(2);

const MODULE = new URL("../../../../src/host/linux/terminal/caller.ts", import.meta.url).pathname;
const BYTES = 8 * 1024 * 1024;
/** Time for which the client is silent, and then does not read. */
const SILENT_S = 2;
const LEAST_TICKS = 5;

/**
 * Copies the number of bytes that it is asked for, and says on standard error how often a timer of 10 ms has
 * ticked. It makes the file of its first argument once it reads.
 */
const SCRIPT = `
  import { writeFileSync } from "node:fs";
  import { openCaller } from "${MODULE}";
  let ticks = 0;
  const timer = setInterval(() => { ticks += 1; }, 10);
  const caller = openCaller();
  if (process.argv.length > 1) writeFileSync(process.argv[1], "");
  for await (const chunk of caller.read()) {
    process.stderr.write("read " + ticks + " ");
    await caller.write(new Uint8Array(Number(new TextDecoder().decode(chunk))).fill(7));
    process.stderr.write("written " + ticks + " ");
  }
  process.stderr.write("ended");
  clearInterval(timer);
`;

/** On one processor bun has the fewest threads. */
const WAYS: readonly (readonly [string, readonly string[]])[] = [
  ["all processors", []],
  ["one processor", ["taskset", "-c", "0"]],
];

test.each(WAYS)("neither a silent nor a slow client stops svirt's other work, on %s", async (_, before) => {
  using folder = new RealFolder();
  const [reads, asked] = ["reads", "asked"].map((name) => `${folder.path}/${name}`);
  const once = (file = "") => `until [ -e ${file} ]; do sleep 0.05; done; sleep ${SILENT_S}`;
  // The client asks late, and reads later still.
  const client = `(${once(reads)}; printf ${BYTES}; : >${asked}) | "$@" | (${once(asked)}; wc -c)`;
  const program = [...before, process.execPath, "-e", SCRIPT, reads ?? ""];
  const child = Bun.spawn(["sh", "-c", client, "sh", ...program], { stdout: "pipe", stderr: "pipe" });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  const [, read, written] = /^read (\d+) written (\d+) ended$/.exec(err) ?? [];
  expect([Number(out), err]).toEqual([BYTES, expect.stringContaining("ended")]);
  expect(Number(read)).toBeGreaterThan(LEAST_TICKS);
  expect(Number(written) - Number(read)).toBeGreaterThan(LEAST_TICKS);
});

/**
 * Says on standard error how many files are read, one after another, during a write. Each takes a turn of the
 * event loop.
 */
const TURNS_SCRIPT = `
  import { readFile } from "node:fs/promises";
  import { openCaller } from "${MODULE}";
  let turns = 0;
  let isWritten = false;
  const written = openCaller().write(new Uint8Array(${BYTES})).then(() => { isWritten = true; });
  for (; !isWritten; turns += 1) await readFile("/proc/self/comm");
  await written;
  process.stderr.write(String(turns));
  process.exit();
`;
/**
 * With poll(2), whose turns take up to 10 ms, less than a thousand would pass while the client reads with
 * pauses.
 */
const LEAST_TURNS = 3000;

inTurn("work beside a write to a slow client goes on at once", async () => {
  const slow = "for at in $(seq 100); do head -c 40000; sleep 0.02; done; cat";
  const words = ["sh", "-c", `"$@" | (${slow}) | wc -c`, "sh", process.execPath, "-e", TURNS_SCRIPT];
  const child = Bun.spawn(words, { stdout: "pipe", stderr: "pipe" });
  const [out, turns] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  expect(Number(out)).toBe(BYTES);
  expect(Number(turns)).toBeGreaterThan(LEAST_TURNS);
});

inTurn("ends when the client has gone, and drops what it writes", async () => {
  const child = Bun.spawn(["sh", "-c", `"$0" -e '${SCRIPT.replaceAll("'", "")}' | true`, process.execPath], {
    stdin: new Blob(["1000000"]),
    stderr: "pipe",
  });
  expect(await new Response(child.stderr).text()).toMatch(/^read \d+ written \d+ ended$/);
});

/** Ends of a connection: the client's for reading and writing, and svirt's for reading and writing. */
type Ends = readonly [clientIn: number, clientOut: number, svirtIn: number, svirtOut: number];

/** fcntl.h: F_SETFL; asm-generic/fcntl.h: O_NONBLOCK */
const [F_SETFL, O_NONBLOCK] = [4n, 0o4000];
/** asm/unistd_64.h, asm-generic/unistd.h; sys/socket.h: AF_UNIX, SOCK_STREAM with SOCK_CLOEXEC */
const SYS_SOCKETPAIR = process.arch === "x64" ? 53n : 199n;
const [AF_UNIX, STREAM] = [1n, 1n | 0o2000000n];
const O_CLOEXEC = 0o2000000;

/**
 * libvirt's client has one socket for both directions, and so has sshd. virNetSocketNewConnectCommand() of
 * libvirt, do_exec_no_pty() of OpenSSH
 */
function makeSocket(): Ends {
  const pair = new Int32Array(2);
  expect(Number(libc().syscall(SYS_SOCKETPAIR, AF_UNIX, STREAM, 0n, BigInt(ptr(pair))))).toBe(0);
  const [client = -1, svirt = -1] = pair;
  return [client, client, svirt, svirt];
}

function makePipes(): Ends {
  const [asked, answered] = [new Int32Array(2), new Int32Array(2)];
  for (const pipe of [asked, answered]) expect(libc().pipe2(ptr(pipe), O_CLOEXEC)).toBe(0);
  return [answered[0] ?? -1, asked[1] ?? -1, asked[0] ?? -1, answered[1] ?? -1];
}

function isNonBlocking(fd: number): boolean {
  const flags = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1] ?? "";
  return (Number.parseInt(flags, 8) & O_NONBLOCK) !== 0;
}

/** How a client and svirt are run, each by a shell. `mode`: set by others for svirt's ends. */
interface Connected {
  readonly client: string;
  readonly svirt: string;
  readonly mode?: number;
}

/** Returns what both say on standard error. Closes the client's ends. */
async function connect(
  [clientIn, clientOut, svirtIn, svirtOut]: Ends,
  { client, mode = 0, svirt }: Connected,
): Promise<readonly [string, string]> {
  const run = (script: string, stdin: number, stdout: number) =>
    Bun.spawn(["sh", "-c", script, process.execPath, SCRIPT], { stdin, stdout, stderr: "pipe" });
  const server = run(svirt, svirtIn, svirtOut);
  // bun makes the descriptors of a new process blocking.
  for (const fd of [svirtIn, svirtOut]) expect(fcntl(fd, F_SETFL, BigInt(mode))).toBe(true);
  const other = run(client, clientIn, clientOut);
  for (const fd of new Set([clientIn, clientOut])) closeSync(fd);
  return await Promise.all([new Response(other.stderr).text(), new Response(server.stderr).text()]);
}

inTurn("a process in front of svirt reads the socket to which svirt writes", async () => {
  const ends = makeSocket();
  const client = "for bytes in 1000 20 3; do printf $bytes; head -c $bytes | wc -c >&2; done";
  const [got, said] = await connect(ends, { client, svirt: 'cat | "$0" -e "$1"' });
  closeSync(ends[2]);
  expect([got, said]).toEqual(["1000\n20\n3\n", expect.stringMatching(/^(read \d+ written \d+ ){3}ended$/)]);
});

describe.each([
  ["a socket", makeSocket],
  ["two pipes", makePipes],
])("by %s", (_, make) => {
  test.each([
    ["blocking", 0],
    ["non-blocking", O_NONBLOCK],
  ])(
    "whose mode others have set to %s, svirt waits for a slow client and keeps the mode",
    async (__, mode) => {
      const ends = make();
      const [, , ...ours] = ends;
      const client = `sleep 1; printf ${BYTES}; sleep 2; head -c ${BYTES} | wc -c >&2`;
      const [got, said] = await connect(ends, { client, svirt: 'exec "$0" -e "$1"', mode });
      expect([got, said]).toEqual([`${BYTES}\n`, expect.stringMatching(/^read \d+ written \d+ ended$/)]);
      const [, read, written] = /(\d+) written (\d+)/.exec(said) ?? [];
      expect(Number(written) - Number(read)).toBeGreaterThan(LEAST_TICKS);
      expect(ours.map(isNonBlocking)).toEqual([mode !== 0, mode !== 0]);
      for (const fd of new Set(ours)) closeSync(fd);
    },
  );
});
