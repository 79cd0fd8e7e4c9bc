import { closeSync } from "node:fs";
import type { Display } from "../../../plan/facts/display.ts";
import { bracketed } from "../../../plan/facts/display-address.ts";
import { hostCallError, libc, readErrno } from "../calls/libc.ts";

/** bits/socket.h, bits/socket_type.h, asm-generic/socket.h */
const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const BACKLOG = 8;
/** Sizes of struct sockaddr_in and struct sockaddr_in6. ip(7), ipv6(7) */
const IN_BYTES = 16;
const IN6_BYTES = 28;
const IN6_GROUPS = 8;

/** Creates a socket that listens on the TCP port, as a descriptor for QEMU. Throws "host-call". tcp(7) */
export function listenTcp({ address, port }: Display): number {
  const said = `${bracketed(address)}:${port}`;
  const name = address.includes(":") ? formatIn6(address, port) : formatIn(address, port);
  const family = address.includes(":") ? AF_INET6 : AF_INET;
  const fd = libc().socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) throw hostCallError("create a TCP socket", readErrno());
  try {
    // Otherwise the connection of an earlier viewer keeps the port busy for a minute.
    const yes = new Int32Array([1]);
    if (libc().setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, yes, yes.byteLength) !== 0)
      throw hostCallError(`reuse ${said}`, readErrno());
    if (libc().bind(fd, name, name.length) !== 0) throw hostCallError(`bind ${said}`, readErrno());
    if (libc().listen(fd, BACKLOG) !== 0) throw hostCallError(`listen on ${said}`, readErrno());
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** struct sockaddr_in: family, port, four bytes of address. */
function formatIn(address: string, port: number): Uint8Array {
  const bytes = new Uint8Array(IN_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, AF_INET, true);
  view.setUint16(2, port);
  bytes.set(address.split(".").map(Number), 4);
  return bytes;
}

/** struct sockaddr_in6: family, port, flow, sixteen bytes of address, scope. */
function formatIn6(address: string, port: number): Uint8Array {
  const bytes = new Uint8Array(IN6_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, AF_INET6, true);
  view.setUint16(2, port);
  for (const [at, group] of groupsOf(address).entries()) view.setUint16(8 + 2 * at, group);
  return bytes;
}

/** Returns the eight numbers of an IPv6 address in any notation, which URL makes uniform. */
function groupsOf(address: string): number[] {
  const [front = "", back] = new URL(`http://[${address}]`).hostname.slice(1, -1).split("::");
  const read = (part: string): number[] =>
    part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16));
  const [before, after] = [read(front), read(back ?? "")];
  return [...before, ...Array<number>(IN6_GROUPS - before.length - after.length).fill(0), ...after];
}
