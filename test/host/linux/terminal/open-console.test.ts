import { expect, test } from "bun:test";
import { makeLinuxHost } from "../../../../src/host/linux/linux-host.ts";
import { RealFolder } from "../../../real-host/folder.ts";

const host = makeLinuxHost();
const text = (piece: unknown): string => (piece instanceof Uint8Array ? new TextDecoder().decode(piece) : "");
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

/** Returns a socket on which a guest listens that repeats what it hears, and hangs up by `exit`. */
function listen(path: string) {
  return Bun.listen({
    unix: path,
    socket: {
      data: (socket, heard) => (heard.toString() === "exit" ? void socket.end() : void socket.write(heard)),
    },
  });
}

async function openAt(path: string) {
  const facts = host.inspectFile(path);
  if (facts === undefined) throw new Error("nothing is there");
  return await host.openConsole(facts, { isAskedFor: () => false, onAsked: () => undefined });
}

test("a console of a socket passes data both ways, and ends when the guest hangs up", async () => {
  using folder = new RealFolder();
  const path = `${folder.path}/socket`;
  const guest = listen(path);
  const opened = await openAt(path);
  await opened.put?.(bytes("hello"));
  expect(text(await opened.next?.(4096))).toBe("hello");
  await opened.put?.(bytes("exit"));
  expect(await opened.next?.(4096)).toBeUndefined();
  await opened.put?.(bytes("more"));
  await opened.close();
  await opened.close();
  guest.stop(true);
});

test("a console of a terminal is raw, and its end by the other side is that of the stream", async () => {
  let heard = "";
  const hear = (shown: Uint8Array): void => {
    heard += new TextDecoder().decode(shown);
  };
  const terminal = new Bun.Terminal({ data: (_, shown) => hear(shown) });
  const guest = Bun.spawn(["sh", "-c", "tty; exec sleep 100"], { terminal });
  while (!/pts\/\d+\s/.test(heard)) await Bun.sleep(5);
  const opened = await openAt(/\/dev\/pts\/\d+/.exec(heard)?.[0] ?? "");
  terminal.write("login: \x03");
  expect(text(await opened.next?.(4096))).toBe("login: \x03");
  heard = "";
  await opened.put?.(bytes("root\r"));
  while (!heard.includes("root\r")) await Bun.sleep(5);
  const end = opened.next?.(4096);
  guest.kill(9);
  terminal.close();
  expect(await end).toBeUndefined();
  await opened.close();
});

test("a wait for a silent guest ends when the console is closed", async () => {
  using folder = new RealFolder();
  const path = `${folder.path}/socket`;
  const guest = listen(path);
  const opened = await openAt(path);
  const waits = opened.next?.(4096);
  await Bun.sleep(20);
  await opened.close();
  expect(await waits).toBeUndefined();
  guest.stop(true);
});

test("the console that another process asks for says so, and no other one of the process", async () => {
  using folder = new RealFolder();
  const path = `${folder.path}/socket`;
  const guest = listen(path);
  const facts = host.inspectFile(path);
  if (facts === undefined) throw new Error("nothing is there");
  const before = process.listenerCount("SIGTERM");
  const asked: string[] = [];
  const looked = { other: 0 };
  const other = await host.openConsole(facts, {
    isAskedFor: () => ++looked.other < 0,
    onAsked: () => asked.push("other"),
  });
  const one = await host.openConsole(facts, { isAskedFor: () => true, onAsked: () => asked.push("one") });
  while (asked.length === 0 || looked.other < 2) await Bun.sleep(5);
  expect(process.listenerCount("SIGTERM")).toBe(before);
  await one.close();
  const atEnd = asked.length;
  const seen = looked.other;
  while (looked.other < seen + 3) await Bun.sleep(5);
  expect([asked.length, new Set(asked)]).toEqual([atEnd, new Set(["one"])]);
  await other.close();
  guest.stop(true);
});
