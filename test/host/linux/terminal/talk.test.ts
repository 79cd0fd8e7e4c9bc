import { describe, expect, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { RealFolder } from "../../../real-host/folder.ts";

const TALKER = fileURLToPath(new URL("talker.ts", import.meta.url));
const LEAVE = "\x1d";

/** Text received so far; waits for more of it. */
class Heard {
  text = "";

  readonly take = (bytes: Uint8Array): void => {
    this.text += new TextDecoder().decode(bytes);
  };

  async until(part: string | RegExp): Promise<string> {
    while (this.text.search(part) === -1) await Bun.sleep(5);
    return this.text;
  }
}

/** Starts a program with its own terminal, which signals changes of its size. setsid(1) */
function startAt(words: readonly string[]) {
  const heard = new Heard();
  const terminal = new Bun.Terminal({ cols: 90, rows: 30, data: (_terminal, bytes) => heard.take(bytes) });
  const child = Bun.spawn(["setsid", "-c", "--wait", ...words], { terminal });
  return { child, heard, terminal };
}

/** Starts a guest with a terminal. Its output is written to `terminal`, and its input appears in `heard`. */
async function startGuest() {
  // QEMU sets the terminal to raw mode.
  const guest = startAt(["sh", "-c", "stty raw -echo; tty; exec sleep 1000"]);
  const path = /\/dev\/pts\/\d+/.exec(await guest.heard.until(/\/dev\/pts\/\d+\s/))?.[0] ?? "";
  return { ...guest, path };
}

/**
 * Starts a user at a terminal who talks to the guest. Before and after, the user's shell prints the
 * terminal's settings.
 */
function startUser(path: string) {
  return startAt(["sh", "-c", `stty -g; '${process.execPath}' '${TALKER}' ${path}; stty -g; exit 3`]);
}

describe("Host.talk() with a terminal", () => {
  test("passes all on as it is, until Ctrl and ]; the user's terminal is as it was", async () => {
    const guest = await startGuest();
    const user = startUser(guest.path);
    await user.heard.until(/connected \d+\s/);
    guest.terminal.write("login: ");
    await user.heard.until("login: ");
    // Passed unchanged: Ctrl and C, a tab, no echo, no end of line.
    user.terminal.write("root\x03\t\r");
    await guest.heard.until("root\x03\t\r");
    expect(user.heard.text).not.toContain("root");
    user.terminal.write(`tail${LEAVE}`);
    await user.heard.until("ended: left");
    await guest.heard.until("tail");
    expect(await user.child.exited).toBe(3);
    await user.heard.until(/^[0-9a-f:]{40,}$[\s\S]*^[0-9a-f:]{40,}$/m);
    const [before, ...others] = user.heard.text.match(/^[0-9a-f:]{40,}/gm) ?? [];
    expect(others).toEqual([before ?? ""]);
    expect(guest.child.exitCode).toBeNull();
    guest.child.kill();
  });

  test("gives the guest's terminal the size of the user's", async () => {
    const guest = await startGuest();
    const user = startUser(guest.path);
    await user.heard.until(/connected \d+\s/);
    const size = async (): Promise<string> => await Bun.$`stty size <${guest.path}`.text();
    while ((await size()) !== "30 90\n") await Bun.sleep(5);
    user.terminal.resize(132, 43);
    while ((await size()) !== "43 132\n") await Bun.sleep(5);
    user.terminal.write(LEAVE);
    await user.child.exited;
    guest.child.kill();
  });

  test.each(["SIGTERM", "SIGHUP"] as const)("puts the terminal back when %s ends it", async (signal) => {
    const guest = await startGuest();
    const user = startUser(guest.path);
    await user.heard.until(/connected \d+\s/);
    const isRaw = async (): Promise<boolean> => (await settingsOf(user.child.pid)).includes("-icanon");
    while (!(await isRaw())) await Bun.sleep(5);
    process.kill(Number(/connected (\d+)/.exec(user.heard.text)?.[1]), signal);
    await user.heard.until(`Disconnected from the guest's console by ${signal}`);
    expect(await user.child.exited).toBe(3);
    // The end of a process may be reported before its last output.
    await user.heard.until(/^[0-9a-f:]{40,}[\s\S]*^[0-9a-f:]{40,}\s/m);
    const [before, ...others] = user.heard.text.match(/^[0-9a-f:]{40,}/gm) ?? [];
    expect(others).toEqual([before ?? ""]);
    guest.child.kill();
  });

  test("ends when the guest does", async () => {
    const guest = await startGuest();
    const user = startUser(guest.path);
    await user.heard.until(/connected \d+\s/);
    guest.child.kill();
    await guest.child.exited;
    guest.terminal.close();
    await user.heard.until("ended: hung-up");
  });
});

async function settingsOf(pid: number): Promise<string> {
  return await Bun.$`stty -a </proc/${pid}/fd/0`.text();
}

describe("Host.talk() with a socket, and input from a pipe", () => {
  /** Returns the text that the socket received, and the talker's output. */
  async function pipeTo(input: string): Promise<{ readonly heard: string; readonly printed: string }> {
    using folder = new RealFolder();
    const heard = new Heard();
    const path = `${folder.path}/console.sock`;
    // Text written just before the talker ends may arrive here after its end is reported.
    const closed = Promise.withResolvers<void>();
    using server = Bun.listen({
      unix: path,
      socket: {
        close: () => closed.resolve(),
        data(socket, bytes) {
          heard.take(bytes);
          socket.write(`you said ${new TextDecoder().decode(bytes)}`);
        },
      },
    });
    const child = Bun.spawn([process.execPath, TALKER, path], { stdin: new Blob([input]), stdout: "pipe" });
    const printed = await new Response(child.stdout).text();
    await closed.promise;
    server.stop(true);
    return { heard: heard.text, printed };
  }

  test("shows the answer to an input that has ended", async () => {
    const { heard, printed } = await pipeTo("root\n");
    expect(heard).toBe("root\n");
    expect(printed).toEndWith("\nyou said root\nended: input-ended\n");
  });

  test("leaves by the same byte; what is after it goes nowhere", async () => {
    const { heard, printed } = await pipeTo(`root\n${LEAVE}password\n`);
    expect(heard).toBe("root\n");
    expect(printed).toEndWith("ended: left\n");
  });

  test("leaves while the guest writes without a pause, once another process asks", async () => {
    using folder = new RealFolder();
    const path = `${folder.path}/console.sock`;
    const flood = "x".repeat(100_000);
    using server = Bun.listen({
      unix: path,
      socket: {
        data: () => undefined,
        open: (one) => void one.write(flood),
        drain: (one) => void one.write(flood),
      },
    });
    const child = Bun.spawn([process.execPath, TALKER, path, `${folder.path}/ask`], {
      stdin: "pipe",
      stdout: "pipe",
    });
    let end = "";
    for await (const bytes of child.stdout) {
      end = (end + new TextDecoder().decode(bytes)).slice(-100);
      if (end.endsWith("x")) await Bun.write(`${folder.path}/ask`, "");
    }
    expect(end).toEndWith("ended: asked\n");
    server.stop(true);
  });

  test("passes on more than the kernel keeps at once", async () => {
    const input = "0123456789abcdef".repeat(20_000);
    expect((await pipeTo(input)).heard).toBe(input);
  });
});
