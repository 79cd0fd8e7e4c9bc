import type { Key } from "./key.ts";

/** Uses of svirt without a function in libvirt. */
export const SVIRT_USES = {
  // An error about a file shows whether it exists, and parts of its text. CVE-2019-10161 of libvirt
  "read a named file": "limited",
  // An editor starts any program.
  "run the caller's editor": "full",
  // A limited key reaches both by sshd only, which names its rights.
  "serve a client": "full",
  "serve a key": "full",
  audit: "read-only",
  "change a label": "limited",
  doctor: "read-only",
  explain: "read-only",
  "plan a start": "read-only",
  reap: "limited",
  recover: "limited",
  "show a label": "read-only",
  validate: "read-only",
} as const satisfies Readonly<Record<string, Key>>;
