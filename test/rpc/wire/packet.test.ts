import { describe, expect, test } from "bun:test";
import { formatPacket, type Packet, parsePacket } from "../../../src/rpc/wire/packet.ts";
import { readPackets } from "../../../src/rpc/wire/read-packets.ts";
import { remoteError } from "../../../src/rpc/wire/remote-error.ts";

// Bytes of libvirt's tests/virnetmessagetest.c: testMessageHeaderEncode() and testMessagePayloadEncode().
const HEADER = "0000001c 11223344 00000001 00000666 00000000 00000099 00000000";
const ERROR =
  "00000074 11223344 00000001 00000666 00000002 00000099 00000001 00000001 00000007 00000001 0000000b 48656c6c " +
  "6f20576f 726c6400 00000002 00000000 00000001 00000003 4f6e6500 00000001 00000003 54776f00 00000001 00000005 " +
  "54687265 65000000 00000001 00000002 00000000";

const header = { program: 0x11_22_33_44, version: 1, procedure: 0x6_66, type: 0, serial: 0x99, status: 0 };
const facts = {
  code: 1,
  domain: 7,
  message: "Hello World",
  level: 2,
  dom: undefined,
  str1: "One",
  str2: "Two",
  str3: "Three",
  int1: 1,
  int2: 2,
  net: undefined,
};

const bytesOf = (hex: string): Uint8Array => Uint8Array.fromHex(hex.replaceAll(" ", ""));
const hexOf = (bytes: Uint8Array | undefined): string => bytes?.toHex() ?? "";

describe("a packet", () => {
  test("has the bytes of libvirt's own test of a header", () => {
    expect(hexOf(formatPacket(header, []))).toBe(HEADER.replaceAll(" ", ""));
    expect(parsePacket(bytesOf(HEADER))).toEqual({ header, payload: new Uint8Array() });
  });

  test("has the bytes of libvirt's own test of an error", () => {
    const parts: Uint8Array[] = [];
    remoteError.encode(facts, parts);
    expect(hexOf(formatPacket({ ...header, type: 2, status: 1 }, parts))).toBe(ERROR.replaceAll(" ", ""));
    expect(remoteError.decode({ bytes: parsePacket(bytesOf(ERROR)).payload, at: 0 })).toEqual(facts);
  });

  test("is not made if it is longer than the protocol allows", () => {
    expect(formatPacket(header, [new Uint8Array(33_554_432)])).toBeUndefined();
  });
});

async function* chunked(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function packetsIn(bytes: Uint8Array, size: number): Promise<Packet[]> {
  const packets: Packet[] = [];
  for await (const packet of readPackets(chunked(bytes, size))) packets.push(packet);
  return packets;
}

describe("readPackets()", () => {
  const stream = bytesOf(HEADER + ERROR + HEADER);

  test("finds the packets however the bytes arrive", async () => {
    for (let size = 1; size <= stream.length; size += 1) {
      const packets = await packetsIn(stream, size);
      expect(packets.map(({ payload }) => payload.length)).toEqual([0, 0x74 - 28, 0]);
    }
  });

  test("drops half a packet at the end", async () => {
    expect(await packetsIn(stream.subarray(0, -1), 7)).toHaveLength(2);
  });

  // virNetServerClientDispatchRead() of libvirt
  test.each([
    ["a length without room for a header", "0000001b"],
    ["a length of more than 32 MiB", "02000005"],
    ["text that a shell printed before the protocol", "57656c63"],
  ])("ends at %s", async (_, hex) => {
    await expect(packetsIn(bytesOf(`${hex}${"00".repeat(32)}`), 3)).rejects.toThrow(
      "Cannot read the client's packet",
    );
  });

  test("takes the longest packet that libvirt sends, and the one behind it", async () => {
    const longest = new Uint8Array(33_554_436 + 28);
    longest.set(bytesOf("02000004"));
    longest.set(bytesOf(HEADER), 33_554_436);
    const [packet, next] = await packetsIn(longest, 65_536);
    // The longest text of libvirt's protocol: REMOTE_STRING_MAX. Of what is longer, the beginning is kept.
    expect(packet?.payload.length).toBeGreaterThanOrEqual(4_194_304);
    expect(packet?.payload.length).toBeLessThan(4_194_304 + 65_536);
    expect(next).toEqual({ header, payload: new Uint8Array() });
  });
});
