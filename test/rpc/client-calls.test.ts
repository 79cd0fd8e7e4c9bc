import { expect, test } from "bun:test";
import { ClientCalls } from "../../src/rpc/client-calls.ts";
import { PACKET_STATUS, PACKET_TYPE, type Packet, REMOTE } from "../../src/rpc/wire/packet.ts";

const LARGE_BYTES = 200_000;

const packet = (serial: number, bytes: number): Packet => ({
  header: { ...REMOTE, procedure: 350, type: PACKET_TYPE.call, serial, status: PACKET_STATUS.ok },
  payload: new Uint8Array(bytes),
});

test("a second large call begins after the end of the first, and small ones do not wait for its end", async () => {
  const begun: number[] = [];
  const ends = new Map<number, () => void>();
  const calls = new ClientCalls({
    load: async () => undefined,
    carryOut: async ({ header: { serial } }) => {
      begun.push(serial);
      await new Promise<void>((resolve) => ends.set(serial, resolve));
    },
  });
  await calls.take(packet(1, LARGE_BYTES));
  await calls.take(packet(2, 8));
  await Bun.sleep(1);
  expect(begun).toEqual([1, 2]);
  await calls.take(packet(3, LARGE_BYTES));
  await Bun.sleep(1);
  expect(begun).toEqual([1, 2]);
  ends.get(1)?.();
  await Bun.sleep(1);
  expect(begun).toEqual([1, 2, 3]);
  for (const end of ends.values()) end();
  await calls.ended();
});
