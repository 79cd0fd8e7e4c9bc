import { dlopen, FFIType } from "bun:ffi";

/**
 * Ends the first thread of a process, as the kernel does when it kills many, while another thread continues.
 */
const SYS_EXIT = 60n;
const { i64 } = FFIType;

new Worker("data:text/javascript,postMessage(1);setInterval(()=>{},1000)").onmessage = () => {
  dlopen("libc.so.6", { syscall: { args: [i64, i64], returns: i64 } }).symbols.syscall(SYS_EXIT, 0n);
};
