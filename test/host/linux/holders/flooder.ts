/**
 * flooder PATH THREADS COPIES: opens a file COPIES times in the table of each thread, and runs until it is
 * killed.
 */
import { openSync } from "node:fs";

const CLONE_FILES = 0x400;
const [, , path = "", threads = "0", copies = "0"] = process.argv;
const words = `
  import { dlopen } from "bun:ffi";
  const { symbols } = dlopen("libc.so.6", { unshare: { args: ["i32"], returns: "i32" } });
  if (symbols.unshare(${CLONE_FILES}) !== 0) throw new Error("not unshared");
  postMessage("unshared");
  setInterval(() => {}, 1000);
`;
for (let at = 0; at < Number(copies); at += 1) openSync(path, "r+");
let ready = 0;
for (let at = 1; at < Number(threads); at += 1)
  new Worker(`data:text/javascript,${encodeURIComponent(words)}`).onmessage = () => {
    ready += 1;
    if (ready === Number(threads) - 1) process.stdout.write("floods\n");
  };
setInterval(() => undefined, 1000);
