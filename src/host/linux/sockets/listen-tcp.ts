import { closeSync } from "node:fs";
import type { Display } from "../../../plan/facts/display.ts";
import { bracketed } from "../../../plan/facts/display-address.ts";
import { hostCallError, libc, readErrno } from "../calls/libc.ts";
import { socketAddress } from "./tcp-address.ts";

/** bits/socket_type.h, asm-generic/socket.h */
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const BACKLOG = 8;

/** Creates a socket that listens on the TCP port, as a descriptor for QEMU. Throws "host-call". tcp(7) */
export function listenTcp(display: Display): number {
  const said = `${bracketed(display.address)}:${display.port}`;
  const { family, name } = socketAddress(display);
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
