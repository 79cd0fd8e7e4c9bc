import { closeSync, unlinkSync } from "node:fs";
import type { FileId } from "../../../plan/facts/file.ts";
import { EWOULDBLOCK } from "../calls/errno.ts";
import { cString, hostCallError, libc, readErrno } from "../calls/libc.ts";
import { terminalCalls } from "../calls/terminal.ts";
import { withFile } from "../files/file-id.ts";
import { unlessMissing } from "../files/files.ts";
import { setFileContext, setSocketContext } from "../labels/selinux.ts";

// Rule: The context of a listening socket is set when the socket is created.

/** bits/socket.h, bits/socket_type.h */
const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;
const BACKLOG = 8;
/** Bits cleared from the mode of a socket's name: only its owner may connect. */
const OWNERS_ALONE = 0o177;
/** Size of struct sockaddr_un: two bytes of family, then the path. unix(7) */
export const ADDRESS_BYTES = 110;

/**
 * Creates a listening unix socket that only root may connect to, as a descriptor for QEMU. With a context it
 * belongs to the guest from its creation: QEMU may accept on it, and no other program can take its path
 * first. Throws "host-call". unix(7), setsockcreatecon(3)
 */
export function listenUnix(path: string, context: string | undefined): number {
  unlessMissing(`remove ${path}`, () => unlinkSync(path));
  return listenAt(path, path, { context, label: undefined });
}

/**
 * Like listenUnix(), in the folder that was inspected and with a label for the socket's name. Leaves an
 * existing file alone. Throws "host-call"; "denied" if the path leads to another folder.
 */
export function listenWithin(folder: FileId, path: string, security: SocketSecurity): number {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return withFile(folder, (opened) => listenAt(`${opened}/${name}`, path, security));
}

/**
 * Connects to the unix socket at a path and returns a non-blocking descriptor. Throws "host-call". unix(7)
 */
export function connectUnix(path: string): number {
  const fd = tryConnectUnix(path);
  if (fd === undefined) throw hostCallError(`connect to ${path}`, EWOULDBLOCK);
  return fd;
}

/** Like connectUnix(), but returns undefined while the socket's queue of connections is full. */
export function tryConnectUnix(path: string): number | undefined {
  const fd = makeSocket(undefined, SOCK_NONBLOCK);
  if (terminalCalls().connect(fd, formatAddress(path), ADDRESS_BYTES) === 0) return fd;
  const errno = readErrno();
  closeSync(fd);
  if (errno === EWOULDBLOCK) return undefined;
  throw hostCallError(`connect to ${path}`, errno);
}

/** Context of a socket as an object of the kernel, and its label as a file. */
interface SocketSecurity {
  readonly context: string | undefined;
  readonly label: string | undefined;
}

function listenAt(path: string, said: string, { context, label }: SocketSecurity): number {
  const fd = makeSocket(context);
  try {
    bindTo(fd, { path, said }, label);
    if (libc().listen(fd, BACKLOG) !== 0) throw hostCallError(`listen on ${said}`, readErrno());
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function bindTo(
  fd: number,
  { path, said }: { readonly path: string; readonly said: string },
  label: string | undefined,
): void {
  const address = formatAddress(path);
  if (label !== undefined) setFileContext(label);
  // Not by chmod(2) afterwards: the folder's owner may have replaced the socket with a symlink.
  const before = process.umask(OWNERS_ALONE);
  try {
    if (libc().bind(fd, address, ADDRESS_BYTES) !== 0) throw hostCallError(`bind ${said}`, readErrno());
  } finally {
    process.umask(before);
    if (label !== undefined) setFileContext("");
  }
}

/** Formats a struct sockaddr_un. unix(7) */
export function formatAddress(path: string): Uint8Array {
  const address = new Uint8Array(ADDRESS_BYTES);
  new DataView(address.buffer).setUint16(0, AF_UNIX, true);
  address.set(cString(path), 2);
  return address;
}

/** Creates a unix socket. Throws "host-call". socket(2), setsockcreatecon(3) */
export function makeSocket(context: string | undefined, flags = 0): number {
  if (context !== undefined) setSocketContext(context);
  try {
    const fd = libc().socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    if (fd < 0) throw hostCallError("create a Unix socket", readErrno());
    return fd;
  } finally {
    if (context !== undefined) setSocketContext("");
  }
}
