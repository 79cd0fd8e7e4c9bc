// Program for bridges.test.ts: a DHCP client in the network namespace of a guest. Prints the address that it
// gets. Its argument is a client identifier. RFC 2131
import { createSocket } from "node:dgram";

const [DISCOVER, REQUEST] = [1, 3];
const MAC = [0x52, 0x54, 0, 0, 0, 0x77];
const COOKIE = [99, 130, 83, 99];
const given = new TextEncoder().encode(process.argv[2] ?? "");
const identifier = given.length === 0 ? [] : [61, given.length, ...given];
const [HEAD_BYTES, YOUR_ADDRESS_AT, OPTIONS_AT] = [236, 16, 240];

/** Formats a message with the flag that asks for a broadcast answer. */
function message(type: number, more: readonly number[] = []): Uint8Array {
  const head = new Uint8Array(HEAD_BYTES);
  head.set([1, 1, 6, 0, 1, 2, 3, 4, 0, 0, 0x80, 0]);
  head.set(MAC, 28);
  const name = [12, 3, ...new TextEncoder().encode("web")];
  return Uint8Array.from([...head, ...COOKIE, 53, 1, type, ...name, ...identifier, ...more, 255]);
}

/** Returns an option of a message. */
function optionOf(bytes: Uint8Array, wanted: number): readonly number[] {
  for (let at = OPTIONS_AT; at < bytes.length && bytes[at] !== 255; at += 2 + (bytes[at + 1] ?? 0)) {
    const length = bytes[at + 1] ?? 0;
    if (bytes[at] === wanted) return [...bytes.slice(at + 2, at + 2 + length)];
  }
  return [];
}

const socket = createSocket("udp4");
const give = (text: string): void => {
  process.stdout.write(text);
  clearTimeout(timeout);
  socket.close();
};
const timeout = setTimeout(() => give("nothing"), 8000);
socket.on("message", (bytes) => {
  const address = [...bytes.slice(YOUR_ADDRESS_AT, YOUR_ADDRESS_AT + 4)];
  const [type] = optionOf(bytes, 53);
  if (type === 2) {
    const server = optionOf(bytes, 54);
    socket.send(message(REQUEST, [50, 4, ...address, 54, 4, ...server]), 67, "255.255.255.255");
  } else {
    give(`${address.join(".")} by ${optionOf(bytes, 54).join(".")} through ${optionOf(bytes, 3).join(".")}`);
  }
});
socket.bind(68, "0.0.0.0", () => {
  socket.setBroadcast(true);
  socket.send(message(DISCOVER), 67, "255.255.255.255");
});
