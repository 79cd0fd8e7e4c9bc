/**
 * on-false-guests FOLDER WORD...: a command of svirt on the false guests of a folder (test/real-host/false-guests.ts). Prints to
 * standard error how long it took, in ms, and the most memory that the process had, in KiB.
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
  node: falseNode(folder),
  output: {
    print: (text) => writeOut(1, text),
    printBytes: (bytes) => void writeBytes(1, bytes),
    warn: (text) => writeOut(2, text),
  },
  version: "0",
});
clearInterval(unfinished);
// Not getrusage(2): its maximum has that of the process in it that this one was forked from.
const mostKiB = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
writeOut(2, `${Math.round(performance.now() - begun)} ${mostKiB}\n`);
