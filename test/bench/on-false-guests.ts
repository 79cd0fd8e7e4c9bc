/**
 * on-false-guests FOLDER ARGUMENT...: runs a command of svirt on the false guests of a folder
 * (test/real-host/false-guests.ts). Prints its time in ms and the process's peak memory in KiB to standard
 * error.
 */
import { readFileSync } from "node:fs";
import { runCommandLine } from "../../src/cli/run-command.ts";
import { writeBytes, writeOut } from "../../src/host/linux/terminal/write-out.ts";
import { falseNode } from "../real-host/false-guests.ts";

const [folder = "", ...words] = process.argv.slice(2);
const unfinished = setInterval(() => undefined, 1_000_000);
const begun = performance.now();
process.exitCode = await runCommandLine({
  words,
  instance: falseNode(folder),
  output: {
    print: (text) => writeOut(1, text),
    printBytes: (bytes) => writeBytes(1, bytes),
    printSoon: async (text) => writeBytes(1, new TextEncoder().encode(text)),
    warn: (text) => writeOut(2, text),
  },
  version: "0",
});
clearInterval(unfinished);
// Not getrusage(2): its maximum includes that of the process that forked this one.
const mostKiB = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
writeOut(2, `${Math.round(performance.now() - begun)} ${mostKiB}\n`);
