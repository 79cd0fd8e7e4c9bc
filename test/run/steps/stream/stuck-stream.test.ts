import { expect, test } from "bun:test";
import { SvirtError } from "../../../../src/errors.ts";
import type { GuestPipe } from "../../../../src/host/channels.ts";
import type { Host } from "../../../../src/host/host.ts";
import type { Monitor } from "../../../../src/host/monitor.ts";
import { STREAM_IDLE_MS } from "../../../../src/run/monitor/qmp-time-limits.ts";
import { streamOut } from "../../../../src/run/steps/stream/guest-stream.ts";
import { errorOf, makeMachine, nodeOn } from "../../../scenes/scene.ts";

const FILE = { path: "/x", device: 1n, inode: 1n } as never;

/**
 * Returns a host whose only QEMU keeps its end of the pipe until svirt closes the other. `move` moves each
 * MiB.
 */
function hostWithStuckQemu(move: (moved: () => void) => void): { host: Host; happened: string[] } {
  const happened: string[] = [];
  const ended = Promise.withResolvers<number>();
  const pipe: GuestPipe = {
    async readInto(_file, _offset, { onMoved }) {
      move(onMoved);
      return await ended.promise;
    },
    sendFrom: async () => undefined,
    close() {
      happened.push("pipe closed");
      ended.reject(new SvirtError("given up", { kind: "timeout", remedy: "None." }));
    },
  };
  const monitor: Monitor = {
    allow: (timeoutMs) => void happened.push(`allowed ${timeoutMs}`),
    execute: () => Promise.reject(new SvirtError("no answer", { kind: "timeout", remedy: "Wait." })),
    handOver: async () => undefined,
    passTap: async () => undefined,
    handPeer: async () => undefined,
    handListener: async () => undefined,
    openPipe: async () => pipe,
    waitUntilDeleted: async () => "deleted",
    close: () => undefined,
  };
  return { happened, host: { ...nodeOn(makeMachine()).host, connectMonitor: async () => monitor } };
}

test("a stream whose QEMU no longer answers, and keeps the pipe, ends with the error of the conversation", async () => {
  const { happened, host } = hostWithStuckQemu(() => undefined);
  const tell = async (monitor: Monitor): Promise<void> => void (await monitor.execute("query-migrate"));
  const error = await errorOf(streamOut(host, { monitor: "/m" }, { file: FILE, at: 0, tell }));
  expect(error.message).toBe("no answer");
  expect(happened).toEqual([`allowed ${STREAM_IDLE_MS}`, "pipe closed"]);
});

test("a conversation about a stream goes on as long as the stream moves", async () => {
  const { happened, host } = hostWithStuckQemu((moved) => {
    moved();
    moved();
  });
  const tell = (): Promise<void> => Promise.reject(new Error("over"));
  await errorOf(streamOut(host, { monitor: "/m" }, { file: FILE, at: 0, tell }));
  expect(happened.filter((what) => what === `allowed ${STREAM_IDLE_MS}`)).toHaveLength(3);
});
