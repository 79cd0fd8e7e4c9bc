import { expect, spyOn, test } from "bun:test";
import type { QmpEvent } from "../../../../src/qemu/monitor/qmp.ts";
import { RealFolder } from "../../../real-host/folder.ts";

const MESSAGE = `${JSON.stringify({ event: "RESET", data: { guest: true } })}\n`;
const GREETING = `${JSON.stringify({ QMP: { version: {}, capabilities: [] } })}\n`;
/** More than a feed keeps, and reads at once. */
const FLOOD = 3 * 1024 * 1024;

/** A QEMU that sends a text to each client that asks for capabilities. */
function listen(path: string, text: string) {
  const asked: string[] = [];
  const sent = { bytes: 0, ended: 0 };
  const rest = new Map<object, Uint8Array>();
  const pour = (socket: Bun.Socket): void => {
    const left = rest.get(socket) ?? Buffer.from(GREETING + text);
    const count = socket.write(left);
    sent.bytes += Math.max(0, count);
    rest.set(socket, left.subarray(Math.max(0, count)));
  };
  const server = Bun.listen({
    unix: path,
    socket: {
      data(socket, bytes) {
        asked.push(bytes.toString());
        pour(socket);
      },
      drain: pour,
      close: () => {
        sent.ended += 1;
      },
    },
  });
  return { asked, sent, stop: () => server.stop(true) };
}

async function until(isTrue: () => boolean): Promise<void> {
  for (let looks = 0; !isTrue(); looks += 1) {
    if (looks > 2000) throw new Error("what the test waits for does not happen");
    await Bun.sleep(5);
  }
}

/** Follows a QEMU that sends this text, until `isEnough` of what was taken. */
async function follow(
  text: string,
  isEnough: (taken: readonly QmpEvent[], ended: number) => boolean,
): Promise<{
  readonly taken: readonly QmpEvent[];
  readonly calls: number;
  readonly asked: readonly string[];
}> {
  using folder = new RealFolder();
  const path = `${folder.path}/events.sock`;
  const qemu = listen(path, text);
  let calls = 0;
  const feed = folder.host.followEvents(path, () => {
    calls += 1;
  });
  try {
    const taken: QmpEvent[] = [];
    await until(() => {
      taken.push(...feed.take());
      return isEnough(taken, qemu.sent.ended);
    });
    return { taken, calls, asked: qemu.asked };
  } finally {
    feed.close();
    qemu.stop();
  }
}

test("a feed negotiates and returns each event once, without replies and the greeting", async () => {
  const seen = await follow(`{"return":{},"id":1}\n${MESSAGE}\n${MESSAGE}`, (taken) => taken.length >= 2);
  expect(seen.taken.map(({ name }) => name)).toEqual(["RESET", "RESET"]);
  expect(seen.calls).toBeGreaterThan(0);
  expect(seen.asked.join("")).toBe('{"execute":"qmp_capabilities","id":1}\n');
});

test.each([
  ["sends other things than QMP", "nonsense\n"],
  ["sends a line without end", "x".repeat(200_000)],
])("a feed ends its connection when QEMU %s, and makes another one", async (_, text) => {
  const { asked, taken } = await follow(MESSAGE + text, (__, ended) => ended >= 2);
  expect(asked.length).toBeGreaterThan(1);
  expect(taken.length).toBeLessThanOrEqual(2);
});

test("a feed that ends its connection has no timer but that of the next one", async () => {
  const timers = new Map<unknown, number>();
  const [set, clear] = [globalThis.setTimeout, globalThis.clearTimeout];
  using starts = spyOn(globalThis, "setTimeout").mockImplementation(
    Object.assign((work: () => void, delayMs = 0): Timer => {
      const timer = set(() => {
        timers.delete(timer);
        work();
      }, delayMs);
      timers.set(timer, delayMs);
      return timer;
    }, set),
  );
  using _ends = spyOn(globalThis, "clearTimeout").mockImplementation((timer) => {
    timers.delete(timer);
    if (typeof timer !== "string") clear(timer);
  });
  await follow(`${MESSAGE}nonsense\n`, (__, ended) => {
    if (ended > 0) expect([...timers.values()].filter((delayMs) => delayMs > 5)).toEqual([1000]);
    return ended > 0;
  });
  expect(starts).toHaveBeenCalled();
});

test("of a flood a feed keeps the first events only, and what it has not taken costs no memory", async () => {
  using folder = new RealFolder();
  const path = `${folder.path}/events.sock`;
  const qemu = listen(path, MESSAGE.repeat(FLOOD / MESSAGE.length));
  const feed = folder.host.followEvents(path, () => undefined);
  await until(() => qemu.sent.bytes >= FLOOD);
  expect(feed.take()).toHaveLength(64);
  expect(qemu.sent.ended).toBe(0);
  feed.close();
  qemu.stop();
});

test("a feed whose QEMU refuses it tries again, and one that is closed does not", async () => {
  using folder = new RealFolder();
  const path = `${folder.path}/events.sock`;
  const [closed, feed] = [0, 1].map(() => folder.host.followEvents(path, () => undefined));
  await Promise.all([closed?.served, feed?.served]);
  closed?.close();
  const qemu = listen(path, MESSAGE);
  await until(() => (feed?.take().length ?? 0) > 0);
  expect(qemu.asked).toHaveLength(1);
  feed?.close();
  qemu.stop();
});
