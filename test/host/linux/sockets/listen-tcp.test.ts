import { expect, test } from "bun:test";
import { createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { listenTcp } from "../../../../src/host/linux/sockets/listen-tcp.ts";

/** Returns a port without a listener. */
async function freePort(): Promise<number> {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  const { port } = server;
  server.stop(true);
  return port;
}

/** Connects and returns the first data that arrives. */
async function heardAt(hostname: string, port: number): Promise<string> {
  const said = Promise.withResolvers<string>();
  await Bun.connect({ hostname, port, socket: { data: (_, bytes) => said.resolve(bytes.toString()) } });
  return await said.promise;
}

const hasIpv6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === "::1"),
);

test("listenTcp() is heard where it listens, and again when whoever was there has gone", async () => {
  await expectHeard("127.0.0.1", "127.0.0.1");
  await expectHeard("0.0.0.0", "127.0.0.1");
});

test.skipIf(!hasIpv6)(
  `listenTcp() knows IPv6, however it is written${hasIpv6 ? "" : " (skipped: needs ::1)"}`,
  async () => {
    await expectHeard("::1", "::1");
    await expectHeard("0:0:0:0:0:0:0:1", "::1");
  },
);

async function expectHeard(address: string, at: string): Promise<void> {
  const port = await freePort();
  for (const word of ["hello", "again"]) {
    const server = createServer((socket) => socket.end(word));
    server.listen({ fd: listenTcp({ address, port }) });
    expect(await heardAt(at, port)).toBe(word);
    await new Promise((resolve) => server.close(resolve));
  }
}

test("listenTcp() takes no port that somebody has, and no address that is not the host's", async () => {
  const port = await freePort();
  const server = createServer();
  server.listen({ fd: listenTcp({ address: "127.0.0.1", port }) });
  expect(() => listenTcp({ address: "127.0.0.1", port })).toThrow(`Cannot bind 127.0.0.1:${port}: `);
  expect(() => listenTcp({ address: "203.0.113.1", port })).toThrow(`Cannot bind 203.0.113.1:${port}: `);
  server.close();
});
