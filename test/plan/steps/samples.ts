/** File that steps of the tests concern: a device node. */
export const file = { path: "/dev/vdb", device: "5", inode: "7", node: "254:16" };

/** Label that steps of the tests give. */
export const label = "d:e:f";

/** Path that steps of the tests concern. */
export const path = "/run/x";

/** Claim of a file that guests share. */
export const claim = { kind: "file", key: "k", sharing: "shared" } as const;

/** Guest without files. */
export const order = {
  uuid: "11111111-2222-4333-8444-000000000001",
  program: "/usr/bin/qemu",
  words: [],
  environment: {},
  uid: 7,
  folder: "/run/guest",
  workFolder: "/run/guest/guest",
  logFile: "/log",
  sockets: [],
  files: [],
};
