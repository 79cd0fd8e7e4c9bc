/** Opens a terminal as svirt opens what it hands over, or without O_NOCTTY, and prints the number of its own terminal then. */
import { constants, openSync, readFileSync } from "node:fs";
import { openHanded } from "../../../../src/host/linux/files/open-handed.ts";
import { makeLinuxHost } from "../../../../src/host/linux/linux-host.ts";

const [path = "", way] = process.argv.slice(2);
const file = makeLinuxHost().inspectFile(path)?.id;
if (file === undefined) throw new Error(`${path} is not there`);
if (way === undefined) openHanded({ fd: 3, file, access: "read-write", truncate: false, direct: false });
else openSync(path, constants.O_RDWR);
// The seventh field, after a name that may hold blanks. proc_pid_stat(5) tty_nr
const after = readFileSync("/proc/self/stat", "utf8").replace(/^.*\) /s, "");
process.stdout.write(`${after.split(" ")[4]}\n`);
