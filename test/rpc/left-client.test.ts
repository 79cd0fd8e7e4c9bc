import { ptr } from "bun:ffi";
import { describe, expect, test } from "bun:test";
import { closeSync } from "node:fs";
import { libc } from "../../src/host/linux/calls/libc.ts";
import { call, opening } from "./remote-client.ts";

const SVIRT = new URL("../../dist/svirt", import.meta.url).pathname;
/** REMOTE_PROC_CONNECT_GET_HOSTNAME of libvirt's remote_protocol.x */
const HOSTNAME = 59;
/** A pipe keeps 64 KiB of replies: these are more. pipe(7) */
const CALLS = 5000;
/** Time for which svirt waits for a client that has ended its input, and as much for a busy machine. */
const MOST_MS = 40_000;
/** Less than that time. */
const LEAST_MS = 9000;

const O_CLOEXEC = 0o2000000;

/**
 * Starts a connection whose replies to many calls wait in a pipe: bun itself would read a pipe of its own.
 */
function connect() {
  const ends = new Int32Array(2);
  expect(libc().pipe2(ptr(ends), O_CLOEXEC)).toBe(0);
  const [reader = -1, writer = -1] = ends;
  const child = Bun.spawn([SVIRT, "virt-ssh-helper", "qemu:///system"], {
    stdin: "pipe",
    stdout: writer,
    stderr: "ignore",
  });
  closeSync(writer);
  child.stdin.write(Buffer.from(opening() + call(HOSTNAME).repeat(CALLS), "hex"));
  void child.stdin.flush();
  return { child, reader };
}

/** Returns the exit code of a process; undefined if it has not ended in time. It does not remain. */
async function endOf({ child }: ReturnType<typeof connect>): Promise<number | undefined> {
  const ended = await Promise.race([child.exited, Bun.sleep(MOST_MS).then(() => undefined)]);
  child.kill("SIGKILL");
  return ended;
}

describe("the process of a connection ends", () => {
  test("once its client has ended its input, even if it never reads a reply", async () => {
    const connection = connect();
    const begunMs = performance.now();
    await connection.child.stdin.end();
    expect(await endOf(connection)).toBe(0);
    // It did wait for the client: the replies are more than the pipe keeps.
    expect(performance.now() - begunMs).toBeGreaterThan(LEAST_MS);
    closeSync(connection.reader);
  }, 60_000);

  test("at SIGHUP, by which sshd ends a session, while a reply waits for the client", async () => {
    const connection = connect();
    await Bun.sleep(2000);
    connection.child.kill("SIGHUP");
    await endOf(connection);
    expect(connection.child.signalCode).toBe("SIGHUP");
    closeSync(connection.reader);
  }, 60_000);

  test("once its client has closed both sides, and not by SIGPIPE", async () => {
    const connection = connect();
    closeSync(connection.reader);
    await connection.child.stdin.end();
    expect([await endOf(connection), connection.child.signalCode]).toEqual([0, null]);
  }, 60_000);
});
