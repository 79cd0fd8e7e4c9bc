import { freePort } from "../machine.ts";

/** Addresses in the server's answer: the server, the machine, and the time server. */
const [SERVER, MACHINE, CLOCK] = ["0a090001", "0a09000f", "0a09007b"].map((hex) =>
  Buffer.from(hex, "hex"),
) as [Buffer, Buffer, Buffer];
const OWN_CARD = Buffer.from("02005e11c401", "hex");
const [ARP, IPV4] = [0x0806, 0x0800];
const UDP = 17;
const [DHCP_SERVER, DHCP_CLIENT, NTP] = [67, 68, 123];

/** Network with only a DHCP server, which names a time server, on the other end of a QEMU network `net1`. */
export interface DhcpNetwork {
  /** QEMU's arguments for it. */
  readonly words: readonly string[];
  /** Resolves once the machine asks the time server that DHCP named, from the address that it got. */
  readonly clockAsked: Promise<void>;
  stop(): void;
}

/** Makes the network. QEMU sends each frame as a datagram. qemu(1), -netdev dgram */
export async function makeDhcpNetwork(): Promise<DhcpNetwork> {
  const { promise: clockAsked, resolve } = Promise.withResolvers<void>();
  const port = freePort();
  const socket = await Bun.udpSocket({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data(self, frame) {
        if (asksClock(frame)) resolve();
        const answer = answerFrame(frame);
        if (answer !== undefined) self.send(answer, port, "127.0.0.1");
      },
    },
  });
  const end = (side: string, at: number) => `${side}.type=inet,${side}.host=127.0.0.1,${side}.port=${at}`;
  const words = ["-netdev", `dgram,id=net1,${end("local", port)},${end("remote", socket.port)}`];
  return { words, clockAsked, stop: () => socket.close() };
}

function asksClock(frame: Buffer): boolean {
  return readUdp(frame)?.to === NTP && frame.subarray(26, 34).equals(Buffer.concat([MACHINE, CLOCK]));
}

function answerFrame(frame: Buffer): Buffer | undefined {
  if (frame.readUInt16BE(12) === ARP) return answerArp(frame);
  const udp = readUdp(frame);
  return udp?.to === DHCP_SERVER ? inFrame(frame, inPacket(answerDhcp(udp.payload))) : undefined;
}

/** Answers with this card for every address except the machine's. RFC 826 */
function answerArp(frame: Buffer): Buffer | undefined {
  const [asker, asked] = [frame.subarray(22, 32), frame.subarray(38, 42)];
  if (frame.readUInt16BE(20) !== 1 || asked.equals(MACHINE)) return undefined;
  return Buffer.concat([
    ...[frame.subarray(6, 12), OWN_CARD, frame.subarray(12, 20)],
    ...[bytes16(2), OWN_CARD, asked, asker],
  ]);
}

/** Answers a discovery with an offer, and a request with an acknowledgement. RFC 2131; options: RFC 2132 */
function answerDhcp(question: Buffer): Buffer {
  const looksFor = question.indexOf(Buffer.from([53, 1, 1])) >= 240;
  const answer = Buffer.alloc(300);
  question.copy(answer, 0, 0, 240);
  answer.writeUInt8(2, 0);
  MACHINE.copy(answer, 16);
  const option = (code: number, value: Buffer) => [Buffer.from([code, value.length]), value];
  Buffer.concat([
    ...option(53, Buffer.from([looksFor ? 2 : 5])),
    ...option(54, SERVER),
    ...option(51, Buffer.from([0, 0, 14, 16])),
    ...option(1, Buffer.from([255, 255, 255, 0])),
    ...option(42, CLOCK),
    Buffer.from([255]),
  ]).copy(answer, 240);
  return answer;
}

function readUdp(frame: Buffer): { readonly to: number; readonly payload: Buffer } | undefined {
  if (frame.readUInt16BE(12) !== IPV4 || frame.readUInt8(23) !== UDP) return undefined;
  const begin = 14 + 4 * (frame.readUInt8(14) & 15);
  return { to: frame.readUInt16BE(begin + 2), payload: frame.subarray(begin + 8) };
}

/** Adds headers of IP and UDP; a UDP checksum of 0 means none. RFC 791, 768 */
function inPacket(payload: Buffer): Buffer {
  const ports = [DHCP_SERVER, DHCP_CLIENT, payload.length + 8, 0].map(bytes16);
  const header = Buffer.from("45000000000000004011000000000000ffffffff", "hex");
  header.writeUInt16BE(28 + payload.length, 2);
  SERVER.copy(header, 12);
  header.writeUInt16BE(checksum(header), 10);
  return Buffer.concat([header, ...ports, payload]);
}

function inFrame(question: Buffer, packet: Buffer): Buffer {
  return Buffer.concat([question.subarray(6, 12), OWN_CARD, bytes16(IPV4), packet]);
}

/** Returns the complement of the sum of all 16-bit words. RFC 1071 */
function checksum(header: Buffer): number {
  let sum = 0;
  for (let at = 0; at < header.length; at += 2) sum += header.readUInt16BE(at);
  return ~((sum & 0xffff) + (sum >>> 16)) & 0xffff;
}

function bytes16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}
