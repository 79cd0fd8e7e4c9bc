import { makeLinuxHost } from "../../../../src/host/linux/linux-host.ts";

/** Acquires the lock named by its first argument, reports it, and holds it until its standard input ends. */
await makeLinuxHost().lock(process.argv[2] ?? "", 10_000);
process.stdout.write("held\n");
for await (const _ of process.stdin);
