import { makeLinuxHost } from "../../../../src/host/linux/linux-host.ts";

/** Lets the file that its first word names be edited, and prints what went wrong. */
try {
  await makeLinuxHost().editFile(process.argv[2] ?? "");
} catch (error) {
  process.stderr.write(String(error));
  process.exitCode = 1;
}
