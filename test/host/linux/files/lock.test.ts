import { expect, test } from "bun:test";
import { statSync } from "node:fs";
import { RealFolder } from "../../../real-host/folder.ts";

test("the folders of a lock can be passed by guests' users, whatever the caller's umask", async () => {
  using folder = new RealFolder();
  const before = process.umask(0o077);
  const release = await folder.host.lock(`${folder.path}/run/locks/one`, 1000);
  const after = process.umask(before);
  release();
  const modes = ["run", "run/locks"].map((name) => statSync(`${folder.path}/${name}`).mode & 0o777);
  expect([after, ...modes]).toEqual([0o077, 0o711, 0o711]);
});
