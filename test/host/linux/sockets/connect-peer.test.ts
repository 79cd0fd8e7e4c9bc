import { dlopen, FFIType } from "bun:ffi";
import { describe, expect, test } from "bun:test";
import { closeSync, readFileSync, renameSync } from "node:fs";
import { withUser } from "../../../../src/host/linux/calls/as-user.ts";
import { connectPeer } from "../../../../src/host/linux/sockets/connect-peer.ts";
import { listenUnix } from "../../../../src/host/linux/sockets/listen.ts";
import { ASIDE, MISSING, RealFolder } from "../../../real-host/folder.ts";

const UID = 0x70000004;
/** bits/socket.h */
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
/** asm-generic/socket.h */
const SO_PEERGROUPS = 59;
const { symbols: libc } = dlopen("libc.so.6", {
  accept: { args: [FFIType.i32, FFIType.ptr, FFIType.ptr], returns: FFIType.i32 },
  getsockopt: {
    args: [FFIType.i32, FFIType.i32, FFIType.i32, FFIType.ptr, FFIType.ptr],
    returns: FFIType.i32,
  },
});

/**
 * Returns struct ucred of an accepted connection (process, user, group) and the number of supplementary
 * groups. unix(7)
 */
function peerOf(listener: number): { readonly ids: number[]; readonly groups: number } {
  const fd = libc.accept(listener, null, null);
  const [peer, groups, length] = [new Uint32Array(3), new Uint32Array(64), new Uint32Array([256])];
  libc.getsockopt(fd, SOL_SOCKET, SO_PEERCRED, peer, new Uint32Array([12]));
  libc.getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, length);
  closeSync(fd);
  return { ids: [...peer], groups: (length[0] ?? 0) / Uint32Array.BYTES_PER_ELEMENT };
}

const status = (): string[] =>
  readFileSync("/proc/thread-self/status", "utf8")
    .split("\n")
    .filter((line) => /^(?:Uid|Gid|Groups|CapEff|CapPrm)/.test(line));

describe.skipIf(MISSING !== undefined)(`a connection for a guest on the real machine${ASIDE}`, () => {
  test("is the guest's user's to the other program, though only root may open the socket", () => {
    using folder = new RealFolder();
    const path = `${folder.path}/peer`;
    const listener = listenUnix(path, undefined);
    const groups = process.getgroups?.() ?? [];
    process.setgroups?.([0, 4]);
    const before = status();
    const fd = connectPeer({ socket: folder.id(path) }, UID);
    expect(peerOf(listener)).toEqual({ ids: [process.pid, UID, UID], groups: 0 });
    expect(status()).toEqual(before);
    process.setgroups?.(groups);
    for (const opened of [fd, listener]) closeSync(opened);
  });

  test("is not made with another socket that stands there by now", () => {
    using folder = new RealFolder();
    const [path, other] = [`${folder.path}/peer`, `${folder.path}/other`];
    const listeners = [listenUnix(path, undefined), listenUnix(other, undefined)];
    const socket = folder.id(path);
    renameSync(other, path);
    expect(() => connectPeer({ socket }, UID)).toThrow("the file was replaced");
    for (const opened of listeners) closeSync(opened);
  });

  test("is refused in one line where nobody listens", () => {
    using folder = new RealFolder();
    const path = `${folder.path}/peer`;
    closeSync(listenUnix(path, undefined));
    expect(() => connectPeer({ socket: folder.id(path) }, UID)).toThrow(
      `Cannot connect the guest to ${path}: Connection refused`,
    );
  });

  test("leaves svirt root again when what it does as another user fails", () => {
    const before = status();
    const act = (): never => {
      throw new Error("as user");
    };
    expect(() => withUser(UID, act)).toThrow("as user");
    expect(status()).toEqual(before);
  });
});
