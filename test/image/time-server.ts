/** Where NTP's time begins: 1900, in seconds before 1970. RFC 5905 6 */
const ERA_SECONDS = 2_208_988_800;
const NTP_PORT = 123;
const PACKET_BYTES = 48;
/** No leap second, version 4, a server's answer; its clock is the best there is. RFC 5905 7.3 */
const HEADER = [0x24, 1, 6, 0xec];

/** An NTP server on the host's own address that tells a time of one's choice, going on from then. */
export async function serveTime(begin: Date): Promise<{ stop(): void }> {
  const started = performance.now();
  const now = (): number => begin.getTime() + performance.now() - started;
  const server = await Bun.udpSocket({
    hostname: "127.0.0.1",
    port: NTP_PORT,
    socket: {
      data(socket, question, ...[port, address]) {
        socket.send(answer(question, now()), port, address);
      },
    },
  });
  return { stop: () => server.close() };
}

function answer(question: Uint8Array, nowMs: number): Uint8Array {
  const packet = Buffer.alloc(PACKET_BYTES);
  packet.set(HEADER);
  packet.write("TEST", 12, "latin1");
  // Reference, then the question's own time, then when it came and when it is answered.
  for (const at of [16, 32, 40]) writeTime(packet, at, nowMs);
  packet.set(question.subarray(40, PACKET_BYTES), 24);
  return packet;
}

function writeTime(packet: Buffer, at: number, ms: number): void {
  packet.writeUInt32BE(Math.floor(ms / 1000) + ERA_SECONDS, at);
  packet.writeUInt32BE(Math.floor(((ms % 1000) / 1000) * 2 ** 32), at + 4);
}
