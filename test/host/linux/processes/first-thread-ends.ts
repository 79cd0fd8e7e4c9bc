import { dlopen, FFIType } from "bun:ffi";

/** A process whose first thread ends, as one of many that the kernel ends, while another goes on. */
const SYS_EXIT = 60n;
const { i64 } = FFIType;

new Worker("data:text/javascript,postMessage(1);setInterval(()=>{},1000)").onmessage = () => {
  dlopen("libc.so.6", { syscall: { args: [i64, i64], returns: i64 } }).symbols.syscall(SYS_EXIT, 0n);
};
