import { ptr } from "bun:ffi";
import { cString, libc } from "./libc.ts";

/** asm/unistd_64.h; elsewhere asm-generic/unistd.h */
const SYS_IOCTL = process.arch === "x64" ? 16n : 29n;
/** struct ifreq and the name in it. linux/if.h */
const REQUEST_BYTES = 40;
/** Where the name ends and the rest begins. IFNAMSIZ */
const REST_AT = 16;

/** A request about a network device, its name filled in. netdevice(7) */
export interface DeviceRequest {
  readonly bytes: Uint8Array;
  /** What follows the name. */
  readonly rest: DataView;
}

/** An empty request about the device of that name, which has at most 15 letters. */
export function requestFor(name: string): DeviceRequest {
  const bytes = new Uint8Array(REQUEST_BYTES);
  bytes.set(cString(name).subarray(0, REST_AT - 1));
  return { bytes, rest: new DataView(bytes.buffer, REST_AT) };
}

/** False when the kernel says no: its errno tells. ioctl(2) */
export function callDevice(fd: number, request: number, bytes: Uint8Array): boolean {
  return libc().syscall(SYS_IOCTL, BigInt(fd), BigInt(request), BigInt(ptr(bytes)), 0n) === 0n;
}
