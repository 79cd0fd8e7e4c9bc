/** Seconds from 1 January 1900, the origin of NTP, to 1 January 1970. RFC 5905, figure 4 */
const FROM_1900_TO_1970 = 2_208_988_800;
const MESSAGE_BYTES = 48;
/** No leap second is due; version 4; a server's answer. */
const ANSWER = (0 << 6) | (4 << 3) | 4;

/** NTP server with this computer's time; a machine behind QEMU's user networking reaches it at 10.0.2.2. */
export interface NtpServer {
  /** Number of requests so far. */
  asked(): number;
  stop(): void;
}

/** Answers at ntpd's port, which requires root. Throws if another server has the port. */
export async function serveNtp(): Promise<NtpServer> {
  let asked = 0;
  const socket = await Bun.udpSocket({
    hostname: "127.0.0.1",
    port: 123,
    socket: {
      data(...[self, question, port, address]) {
        if (question.length < MESSAGE_BYTES) return;
        asked += 1;
        self.send(answer(question), port, address);
      },
    },
  });
  return { asked: () => asked, stop: () => socket.close() };
}

/** Makes an answer: the client's transmit time becomes the origin time. RFC 5905, figure 8 */
function answer(question: Buffer): Buffer {
  const message = Buffer.alloc(MESSAGE_BYTES);
  message.writeUInt8(ANSWER, 0);
  message.writeUInt8(1, 1);
  message.writeUInt8(question.readUInt8(2), 2);
  message.writeInt8(-20, 3);
  message.write("TEST", 12, "latin1");
  question.copy(message, 24, 40, 48);
  for (const at of [16, 32, 40]) writeNow(message, at);
  return message;
}

function writeNow(message: Buffer, at: number): void {
  const now = Date.now() / 1000 + FROM_1900_TO_1970;
  message.writeUInt32BE(Math.floor(now), at);
  message.writeUInt32BE(Math.floor((now % 1) * 2 ** 32), at + 4);
}
