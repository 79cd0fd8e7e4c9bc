import { describe, expect, test } from "bun:test";
import type { Piece } from "../../src/host/channels.ts";
import { deviceLock } from "../../src/plan/paths.ts";
import { startDomain } from "../../src/vm/start/start.ts";
import type { Machine } from "../memory-host/machine.ts";
import { domainXml, nodeOn, UUID } from "../scenes/scene.ts";
import { makePoolMachine } from "../scenes/volumes.ts";
import { call, domain, errorIn, word } from "./remote-client.ts";
import {
  CONSOLE,
  CONTINUE,
  connect,
  data,
  ERROR,
  OK,
  SCREENSHOT,
  STREAM,
  StreamClient,
  settled,
} from "./stream-client.ts";

const VM1 = domain("vm1", UUID, 1);

/** Returns a machine whose vm1 has a console, and the guest's side of it. */
async function machineWithConsole(): Promise<{
  readonly machine: Machine;
  readonly heard: string[];
  /** Lets the guest write; undefined: it hangs up. */
  say(text: string | undefined): void;
  /** Asks for the console from another process. */
  take(): void;
}> {
  const machine = makePoolMachine();
  const chardev = { label: "charserial0", filename: "pty:/dev/pts/7" };
  machine.qemu = { answers: new Map([["query-chardev", [chardev]]]) };
  await startDomain(nodeOn(machine), domainXml({ devices: "<serial type='pty'/>" }));
  machine.files.putFolder("/dev/pts");
  machine.files.put("/dev/pts/7", "character", { uid: 0x70000000 + 1, node: "136:7" });
  const heard: string[] = [];
  let said = Promise.withResolvers<string | undefined>();
  let take = (): void => undefined;
  machine.openConsole = (_, onAsked) => {
    take = onAsked;
    return {
      async next(): Promise<Piece | undefined> {
        const text = await said.promise;
        said = Promise.withResolvers();
        return text === undefined ? undefined : new TextEncoder().encode(text);
      },
      put: async (piece) => void heard.push(Buffer.from(piece instanceof Uint8Array ? piece : []).toString()),
      close: async () => said.resolve(undefined),
    };
  };
  return { machine, heard, say: (text) => said.resolve(text), take: () => take() };
}

describe("virDomainOpenConsole()", () => {
  const open = (serial: number, flags = 0): string => call(CONSOLE, VM1 + word(0) + word(flags), { serial });
  const busy = "Active console session exists for this domain";

  test("passes data both ways until the guest hangs up, which lets the next one in", async () => {
    const { heard, machine, say } = await machineWithConsole();
    const client = connect(machine, open(CONSOLE));
    await client.packets(1);
    client.send(data(CONSOLE, Buffer.from("root\r").toString("hex")));
    say("login: ");
    const [, shown] = await client.packets(2);
    expect(Buffer.from(shown?.payload ?? "", "hex").toString()).toBe("login: ");
    expect(heard).toEqual(["root\r"]);
    say(undefined);
    expect((await client.packets(3))[2]).toMatchObject({ type: STREAM, status: CONTINUE, payload: "" });
    client.send(data(CONSOLE, "00") + open(1));
    expect((await client.packets(4))[3]).toMatchObject({ type: 1, status: OK });
    expect(heard).toEqual(["root\r"]);
    await client.leave();
  });

  test("lets one in at a time, until the client leaves or its connection ends", async () => {
    const { machine } = await machineWithConsole();
    const first = connect(machine, open(CONSOLE, 2));
    await first.packets(1);
    const second = connect(machine, open(CONSOLE));
    const [refused] = await second.packets(1);
    const error = refused === undefined ? undefined : errorIn(refused);
    expect(error).toMatchObject({ code: 9, message: expect.stringContaining(busy) });
    first.send(data(CONSOLE, "", OK));
    expect((await first.packets(2))[1]).toMatchObject({ type: STREAM, status: OK });
    second.send(open(1));
    expect((await second.packets(2))[1]).toMatchObject({ status: OK });
    await second.leave();
    first.send(open(1));
    expect((await first.packets(3))[2]).toMatchObject({ serial: 1, status: OK });
    await first.leave();
  });

  test("takes the console from an earlier stream of the same connection by force, which ends that one with an error", async () => {
    const { heard, machine } = await machineWithConsole();
    const client = connect(machine, open(CONSOLE));
    await client.packets(1);
    client.send(open(1, 1));
    const after = (await client.packets(3)).slice(1);
    expect(after.find(({ serial }) => serial === 1)).toMatchObject({ type: 1, status: OK });
    const lost = after.find(({ serial }) => serial === CONSOLE);
    expect(lost).toMatchObject({ type: STREAM, status: ERROR });
    // VIR_ERR_RPC of libvirt's virterror.h, and the words of its daemonStreamEvent()
    expect(lost === undefined ? lost : errorIn(lost)).toMatchObject({
      code: 39,
      message: expect.stringContaining("stream had I/O failure"),
    });
    client.send(
      call(CONSOLE, Buffer.from("root").toString("hex"), { type: STREAM, status: CONTINUE, serial: 1 }),
    );
    await settled();
    expect(heard).toEqual(["root"]);
    client.send(open(2));
    const refused = (await client.packets(4)).at(-1);
    expect(refused === undefined ? refused : errorIn(refused)?.message).toContain(busy);
    await client.leave();
    expect([...machine.locks]).toEqual([]);
  });

  test("asks another process by force in the file of the lock, without a signal", async () => {
    const { machine } = await machineWithConsole();
    const node = nodeOn(machine);
    const path = deviceLock(node.paths, UUID, "serial0");
    const release = await node.host.lock(path, 0);
    const signals: string[] = [];
    const host: typeof node.host = {
      ...node.host,
      signalProcess: (_process, signal) => void signals.push(signal) === undefined,
    };
    const client = new StreamClient({ ...node, host });
    client.send(open(CONSOLE, 1));
    const [refused] = await client.packets(1);
    expect(refused === undefined ? refused : errorIn(refused)?.message).toContain(busy);
    expect([node.host.readText(path), signals]).toEqual(["!", []]);
    release();
    client.send(open(1));
    expect((await client.packets(2)).at(-1)).toMatchObject({ serial: 1, status: OK });
    // A request is for one holder alone.
    expect(node.host.readText(path)).toBe("-");
    await client.leave();
  });

  test("ends with an error once another process asks for it, and the connection goes on", async () => {
    const { machine, take } = await machineWithConsole();
    const client = connect(machine, open(CONSOLE));
    await client.packets(1);
    take();
    const lost = (await client.packets(2))[1];
    expect(lost).toMatchObject({ type: STREAM, status: ERROR });
    expect(lost === undefined ? lost : errorIn(lost)?.code).toBe(39);
    client.send(open(1));
    expect((await client.packets(3)).at(-1)).toMatchObject({ serial: 1, type: 1, status: OK });
    await client.leave();
  });
});

describe("virDomainScreenshot()", () => {
  test("sends the picture, names its type, and leaves no file", async () => {
    const { machine } = await machineWithConsole();
    const graphics = `<graphics type='vnc'/><video><model type='vga'/></video>`;
    const other = makePoolMachine();
    await startDomain(nodeOn(other), domainXml({ devices: graphics }));
    const client = connect(other, call(SCREENSHOT, VM1 + word(0) + word(0)));
    const [reply, picture, end] = await client.packets(3);
    expect(reply?.payload).toBe(word(1) + word(9) + Buffer.from("image/png\0\0\0").toString("hex"));
    expect(Buffer.from(picture?.payload ?? "", "hex").toString()).toStartWith("png of ");
    expect(end).toMatchObject({ type: STREAM, status: CONTINUE, payload: "" });
    expect(other.files.find(`/run/svirt/${UUID}`)?.inode.entries.keys().toArray().join(" ")).not.toContain(
      "picture",
    );
    expect(other.violations).toEqual([]);
    await client.leave();
    const without = connect(machine, call(SCREENSHOT, VM1 + word(5) + word(0)));
    expect((await without.packets(1))[0]).toMatchObject({ status: ERROR });
    await without.leave();
  });
});
