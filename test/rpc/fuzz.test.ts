// In turn: it takes seconds of a processor.
import { heapStats } from "bun:jsc";
import { describe, expect, test } from "bun:test";
import { SvirtError } from "../../src/errors.ts";
import { PROCEDURES } from "../../src/rpc/procedures/table.ts";
import { readPackets } from "../../src/rpc/wire/read-packets.ts";
import { defineDomain } from "../../src/vm/define/define.ts";
import { domainXml, makeMachine, nodeOn, UUID } from "../scenes/scene.ts";
import { makePoolMachine } from "../scenes/volumes.ts";
import { call, domain, opening, served, text, word } from "./remote-client.ts";
import { data, ERROR, hole, OK, partOf, StreamClient, UPLOAD } from "./stream-client.ts";

const SEED = Number(process.env["SVIRT_FUZZ_SEED"] ?? 20_260_729);
const ROUNDS = 400;

/** Returns numbers below a limit, always the same for a seed. xorshift32 */
function numbers(seed: number): (below: number) => number {
  let state = seed | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** Returns how many bytes are in use. The process's size also has garbage, which is collected at any time. */
function heldBytes(): number {
  Bun.gc(true);
  const { heapSize, extraMemorySize } = heapStats();
  return heapSize + extraMemorySize;
}

/** Numbers at which decoders fail: lengths and counts, and signs. */
const EDGES = [0, 1, 2, 0x7f_ff_ff_ff, 0x80_00_00_00, 0xff_ff_ff_ff, 4_194_304, 4_194_305, 16_384, 16_385];

/** Returns a message that is changed at some of its words, or cut off. */
function spoiled(hex: string, next: (below: number) => number): Uint8Array {
  const bytes = Buffer.from(hex, "hex");
  for (let times = next(4); times >= 0 && bytes.length >= 4; times -= 1) {
    const at = next(bytes.length - 3);
    bytes.writeUInt32BE(next(2) === 0 ? (EDGES[next(EDGES.length)] ?? 0) : next(2 ** 32), at);
  }
  return bytes.subarray(0, next(3) === 0 ? next(bytes.length + 1) : bytes.length);
}

const MESSAGES = [
  domain("vm1", UUID) + word(0),
  text("vm1") + word(1),
  word(1) + text("qemu:///system") + word(0),
  word(1) + text("/usr/bin/qemu-system-x86_64") + word(0).repeat(4),
];

describe(`decoding hostile bytes (SVIRT_FUZZ_SEED=${SEED})`, () => {
  test("of arguments ends with libvirt's error for each procedure", async () => {
    const next = numbers(SEED);
    for (const number of PROCEDURES.numbers) {
      await PROCEDURES.load(number);
      const declared = PROCEDURES.find(number);
      for (let round = 0; round < ROUNDS; round += 1) {
        const payload = spoiled(MESSAGES[next(MESSAGES.length)] ?? "", next);
        try {
          expect(declared?.prepare(payload)).toBeDefined();
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(SvirtError);
          expect(thrown).toMatchObject({ libvirt: { name: "VIR_ERR_RPC" } });
        }
      }
    }
  });

  test("of a stream ends with packets or with one error, and needs no memory for what is only announced", async () => {
    const next = numbers(SEED);
    const before = process.memoryUsage().rss;
    for (let round = 0; round < ROUNDS; round += 1) {
      const bytes = spoiled(opening() + call(999, "00".repeat(64)), next);
      try {
        for await (const { payload } of readPackets(halves(bytes)))
          expect(payload.length).toBeLessThan(bytes.length);
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(SvirtError);
      }
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
  });

  test("of a long packet in pieces of one byte needs little more memory than the packet", async () => {
    const total = 1024 * 1024;
    const packet = new Uint8Array(total);
    new DataView(packet.buffer).setUint32(0, total);
    const before = heldBytes();
    let most = 0;
    async function* dribbled(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < total; at += 1) {
        if (at % 131_072 === 131_071) most = Math.max(most, heldBytes() - before);
        yield packet.subarray(at, at + 1);
      }
    }
    for await (const { payload } of readPackets(dribbled())) expect(payload).toHaveLength(total - 28);
    expect(most).toBeLessThan(8 * total);
  });

  test("of a stream's packets ends at most their stream, and leaves no volume locked", async () => {
    const next = numbers(SEED);
    const machine = makePoolMachine();
    const packets = [
      data(UPLOAD, "0102030405060708"),
      hole(UPLOAD, 8),
      data(UPLOAD, "", OK),
      data(UPLOAD, "", ERROR),
    ];
    for (let round = 0; round < ROUNDS / 4; round += 1) {
      const client = new StreamClient(nodeOn(machine));
      const part = partOf("private1.raw", { flags: next(2), length: BigInt(1 + next(64)) });
      client.send(call(UPLOAD, part));
      await client.packets(1);
      for (let count = next(8); count >= 0; count -= 1) {
        const packet = Buffer.from(packets[next(packets.length)] ?? "", "hex");
        // Any word but the length and the program: a hole of 2^62 bytes is one of them.
        if (next(2) === 0)
          packet.writeUInt32BE(EDGES[next(EDGES.length)] ?? 0, 12 + 4 * next(packet.length / 4 - 3));
        client.send(packet.toString("hex"));
      }
      client.send(call(59, "", { serial: 77 }));
      const replies = await client.packets(2);
      expect(replies.filter(({ serial }) => serial === 77)).toHaveLength(1);
      await client.leave();
      expect(machine.lockedImages.size).toBe(0);
    }
  }, 60_000);

  test("never ends the connection by a call: each gets one reply", async () => {
    const next = numbers(SEED);
    const instance = nodeOn(makeMachine());
    await defineDomain(instance, domainXml());
    // All that can be called without a QEMU that does not exist.
    const called = PROCEDURES.numbers.filter((number) => number !== 2);
    const calls = called.flatMap((number) =>
      MESSAGES.map((message) => call(number, spoiled(message, next).toHex())),
    );
    const replies = await served(instance, opening() + calls.join(""));
    expect(replies).toHaveLength(calls.length + 2);
  });
});

async function* halves(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  const middle = bytes.length >> 1;
  yield bytes.subarray(0, middle);
  yield bytes.subarray(middle);
}
