import { dlopen, FFIType, ptr } from "bun:ffi";
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { getxattrBytes } from "../../src/host/linux/labels/xattr.ts";

const MOST_BYTES = 65_536;
const { symbols } = dlopen("libc.so.6", {
  llistxattr: { args: [FFIType.ptr, FFIType.ptr, FFIType.u64], returns: FFIType.i64_fast },
});

/**
 * Returns all entries below a folder, one line each: inode, owner, content, and every attribute byte for
 * byte.
 */
export function listStates(folder: string): string[] {
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  return paths.map((path) => `${path} ${stateOf(`${folder}/${path}`)}`);
}

function stateOf(path: string): string {
  const stat = lstatSync(path);
  const content = stat.isFile() ? Bun.hash(readFileSync(path)).toString(16) : "";
  const attributes = listNames(path).map((name) => {
    const value = getxattrBytes(path, name) ?? new Uint8Array();
    return `${name}=${Buffer.from(value).toString("hex")}`;
  });
  const { gid, ino, mode, nlink, size, uid } = stat;
  return [ino, mode.toString(8), nlink, uid, gid, stat.isFile() ? size : "", content, ...attributes].join(
    " ",
  );
}

/** Lists the names of the attributes. listxattr(2) */
function listNames(path: string): string[] {
  const names = new Uint8Array(MOST_BYTES);
  const length = Number(symbols.llistxattr(ptr(Buffer.from(`${path}\0`)), ptr(names), names.length));
  if (length < 0) throw new Error(`Cannot list the attributes of ${path}`);
  const all = new TextDecoder().decode(names.subarray(0, length)).split("\0").filter(Boolean);
  // It stays by design.
  return all.filter((name) => name !== "trusted.svirt.format").sort();
}
