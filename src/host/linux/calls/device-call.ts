import { ptr } from "bun:ffi";
import { cString, libc } from "./libc.ts";

/** asm/unistd_64.h; elsewhere asm-generic/unistd.h */
const SYS_IOCTL = process.arch === "x64" ? 16n : 29n;
/** Size of struct ifreq. linux/if.h */
const REQUEST_BYTES = 40;
/** Offset of the fields after the name. IFNAMSIZ */
const REST_AT = 16;

/** A request about a network device, with its name filled in. netdevice(7) */
export interface DeviceRequest {
  readonly bytes: Uint8Array;
  /** Fields after the name. */
  readonly rest: DataView;
}

/** Returns an empty request about the named device. A name has at most 15 bytes. */
export function requestFor(name: string): DeviceRequest {
  const bytes = new Uint8Array(REQUEST_BYTES);
  bytes.set(cString(name).subarray(0, REST_AT - 1));
  return { bytes, rest: new DataView(bytes.buffer, REST_AT) };
}

/** Returns false if the kernel refuses; readErrno() has the reason. ioctl(2) */
export function callDevice(fd: number, request: number, bytes: Uint8Array): boolean {
  return libc().syscall(SYS_IOCTL, BigInt(fd), BigInt(request), BigInt(ptr(bytes)), 0n) === 0n;
}

/** Returns the answer to a request with a number; -1 if the kernel refuses. ioctl(2) */
export function askDevice(fd: number, request: number, value: number): number {
  return Number(libc().syscall(SYS_IOCTL, BigInt(fd), BigInt(request), BigInt(value), 0n));
}
