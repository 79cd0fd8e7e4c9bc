import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { makeLinuxHost } from "../../src/host/linux/linux-host.ts";
import { readOutput } from "../../src/host/linux/processes/read-output.ts";
import { spawnGuest } from "../../src/host/linux/processes/spawn-guest.ts";
import { connectMonitor } from "../../src/host/linux/sockets/monitor.ts";
import { defineDomain } from "../../src/vm/define/define.ts";
import { domainXml, makeMachine, nodeOn, UUID } from "../scenes/scene.ts";
import { call, opening, RemoteClient, serve } from "./remote-client.ts";

const KEEPALIVE = 0x6b_65_65_70;
const [PONG, GET_VERSION] = [2, 4];
const MIB = 1024 * 1024;
const FOLDER_OF_MEMORY = "/dev/shm";

/** Returns the procedures of the replies to a slow call and to a later ping, in their order. */
async function orderBeside(work: (go: Promise<void>) => Promise<unknown>): Promise<readonly number[]> {
  const [begun, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const node = nodeOn(makeMachine());
  await defineDomain(node, domainXml());
  const slow: typeof node.host.readProbe = async () => {
    begun.resolve();
    await work(go.promise).catch(() => undefined);
    return { text: "QEMU emulator version 10.0.3" };
  };
  const client = new RemoteClient();
  const end = serve({ ...node, host: { ...node.host, readProbe: slow } }, client);
  client.send(opening() + call(GET_VERSION));
  await begun.promise;
  // If the work stops the event loop, this goes on only when the work has ended.
  await new Promise((resolve) => setImmediate(resolve));
  client.send(call(1, "", { program: KEEPALIVE, type: 2, serial: 0 }));
  while (!client.replies().some(({ procedure }) => procedure === PONG)) await Bun.sleep(1);
  go.resolve();
  client.close();
  await end;
  return client
    .replies()
    .slice(2)
    .map(({ procedure }) => procedure);
}

/** Calls `use` with a folder, which is removed afterwards. */
async function inFolder<Result>(above: string, use: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(`${above}/svirt-beside-`);
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test("keepalive is answered beside a program that takes three seconds", async () => {
  await inFolder(tmpdir(), async (folder) => {
    // It ends earlier once the pong has arrived.
    const wait = `for at in $(seq 30); do [ -e ${folder}/go ] && exit; sleep 0.1; done`;
    const order = await orderBeside(async (go) => {
      const end = readOutput(["/bin/sh", "-c", wait]);
      await go;
      writeFileSync(`${folder}/go`, "");
      await end;
    });
    expect(order).toEqual([PONG, GET_VERSION]);
  });
});

test("keepalive is answered beside a monitor that says nothing", async () => {
  await inFolder(tmpdir(), async (folder) => {
    const path = `${folder}/monitor.sock`;
    const server = Bun.listen({ unix: path, socket: { data: () => undefined } });
    const order = await orderBeside(async (go) => {
      const connected = connectMonitor(path, 3000).then((monitor) => monitor.close());
      await go;
      server.stop(true);
      await connected;
    });
    expect(order).toEqual([PONG, GET_VERSION]);
  });
});

test("keepalive is answered beside a copy and a wipe of a large volume", async () => {
  await inFolder(FOLDER_OF_MEMORY, async (path) => {
    const host = makeLinuxHost();
    writeFileSync(`${path}/from`, new Uint8Array(128 * MIB).fill(1));
    const [folder, from] = [host.inspectFile(path)?.id, host.inspectFile(`${path}/from`)?.id];
    if (folder === undefined || from === undefined) throw new Error("The file is missing");
    const bytes = new Uint8Array();
    const content = { bytes, sizeBytes: 128 * MIB };
    const file = { name: "to", content, copy: { from, isShared: false }, reservedBytes: 0, mode: 0o600 };
    expect(await orderBeside(async () => await host.makeFileWithin(folder, file))).toEqual([
      PONG,
      GET_VERSION,
    ]);
    expect(await orderBeside(async () => await host.wipeFile(from, "zero"))).toEqual([PONG, GET_VERSION]);
  });
});

test("keepalive is answered beside the start of a guest whose process is not reported yet", async () => {
  await inFolder(tmpdir(), async (folder) => {
    const order = await orderBeside(async (go) => {
      const wait = `while [ ! -e ${folder}/go ]; do sleep 0.05; done`;
      const started = spawnGuest({
        uuid: UUID,
        program: "/bin/sh",
        words: ["-c", wait],
        environment: { LC_ALL: "C", PATH: "/usr/bin:/bin" },
        uid: process.getuid?.() ?? 0,
        // The reaper cannot write the number into this folder, so the start waits for the reaper's end.
        folder: `${folder}/none`,
        workFolder: folder,
        logFile: `${folder}/log`,
        sockets: [],
        files: [],
      });
      await go;
      writeFileSync(`${folder}/go`, "");
      await started;
    });
    expect(order).toEqual([PONG, GET_VERSION]);
  });
});
