import { closeSync } from "node:fs";
import type { Display } from "../../../plan/facts/display.ts";
import { bracketed } from "../../../plan/facts/display-address.ts";
import { fcntl } from "../calls/fcntl.ts";
import { hostCallError, libc, readErrno } from "../calls/libc.ts";
import { terminalCalls } from "../calls/terminal.ts";
import { limitSending } from "./connect-peer.ts";
import { socketAddress } from "./tcp-address.ts";

/** bits/socket_type.h; asm-generic/fcntl.h */
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;
const F_SETFL = 4n;
const O_NONBLOCK = 0o4000n;
/** Longest wait for a listener on this host. */
const TIMEOUT_S = 10;

/** Connects to a TCP port of this host and returns a non-blocking descriptor. Throws "host-call". tcp(7) */
export function connectTcp(display: Display): number {
  const { family, name } = socketAddress(display);
  const said = `${bracketed(display.address)}:${display.port}`;
  const { connect } = terminalCalls();
  const fd = libc().socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) throw hostCallError("create a TCP socket", readErrno());
  try {
    limitSending(fd, TIMEOUT_S);
    if (connect(fd, name, name.length) !== 0) throw hostCallError(`connect to ${said}`, readErrno());
    if (!fcntl(fd, F_SETFL, O_NONBLOCK)) throw hostCallError(`connect to ${said}`, readErrno());
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
