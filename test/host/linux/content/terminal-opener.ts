/**
 * Opens a terminal as svirt opens passed files, or without O_NOCTTY, and prints the number of its controlling
 * terminal.
 */
import { constants, openSync, readFileSync } from "node:fs";
import { openPassed } from "../../../../src/host/linux/content/open-passed.ts";
import { makeLinuxHost } from "../../../../src/host/linux/linux-host.ts";

const [path = "", way] = process.argv.slice(2);
const file = makeLinuxHost().inspectFile(path)?.id;
if (file === undefined) throw new Error(`${path} is not there`);
if (way === undefined)
  await openPassed({ fd: 3, file, access: "read-write", truncate: false, direct: false });
else openSync(path, constants.O_RDWR);
// The fifth field after the name, which may contain blanks. proc_pid_stat(5) tty_nr
const after = readFileSync("/proc/self/stat", "utf8").replace(/^.*\) /s, "");
process.stdout.write(`${after.split(" ")[4]}\n`);
