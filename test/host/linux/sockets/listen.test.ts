import { expect, test } from "bun:test";
import { closeSync } from "node:fs";
import { connectUnix, listenUnix, tryConnectUnix } from "../../../../src/host/linux/sockets/listen.ts";
import { RealFolder } from "../../../real-host/folder.ts";

test("a connection to a socket with a full queue is none yet, and an error where nobody tries again", () => {
  using folder = new RealFolder();
  const path = `${folder.path}/socket`;
  const opened = [listenUnix(path, undefined)];
  let fd = tryConnectUnix(path);
  for (; fd !== undefined; fd = tryConnectUnix(path)) opened.push(fd);
  expect(() => connectUnix(path)).toThrow(`Cannot connect to ${path}: `);
  for (const each of opened) closeSync(each);
});

test("a connection to a socket that is missing, or where nothing listens, is an error of its own", () => {
  using folder = new RealFolder();
  const path = `${folder.path}/socket`;
  expect(() => tryConnectUnix(path)).toThrow(`Cannot connect to ${path}: No such file or directory`);
  closeSync(listenUnix(path, undefined));
  expect(() => tryConnectUnix(path)).toThrow(`Cannot connect to ${path}: Connection refused`);
});
