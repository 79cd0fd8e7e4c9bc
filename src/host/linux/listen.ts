import { closeSync, unlinkSync } from "node:fs";
import { setMode, unlessMissing } from "./files.ts";
import { cString, hostCallError, libc, readErrno } from "./libc.ts";
import { setSocketContext } from "./selinux.ts";

/** bits/socket.h, bits/socket_type.h */
const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;
const BACKLOG = 8;
/** sizeof(struct sockaddr_un): two bytes of family, then the path. unix(7) */
const ADDRESS_BYTES = 110;

/**
 * A listening unix socket that only root may connect to, as a descriptor to hand to QEMU. With a context it belongs to
 * the guest from the moment it is made: QEMU may accept on it, and nobody can be faster than us at its path.
 * Throws "host-call". unix(7), setsockcreatecon(3)
 */
export function listenUnix(path: string, context: string | undefined): number {
  unlessMissing(`remove ${path}`, () => unlinkSync(path));
  const fd = makeSocket(context);
  try {
    const address = new Uint8Array(ADDRESS_BYTES);
    new DataView(address.buffer).setUint16(0, AF_UNIX, true);
    address.set(cString(path), 2);
    if (libc().bind(fd, address, ADDRESS_BYTES) !== 0) throw hostCallError(`bind ${path}`, readErrno());
    setMode(path, 0o600);
    if (libc().listen(fd, BACKLOG) !== 0) throw hostCallError(`listen on ${path}`, readErrno());
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function makeSocket(context: string | undefined): number {
  if (context !== undefined) setSocketContext(context);
  try {
    const fd = libc().socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) throw hostCallError("make a unix socket", readErrno());
    return fd;
  } finally {
    if (context !== undefined) setSocketContext("");
  }
}
