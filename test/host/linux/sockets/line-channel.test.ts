import { describe, expect, test } from "bun:test";
import { renameSync } from "node:fs";
import type { FileFacts } from "../../../../src/host/files.ts";
import { joinLine, type Line } from "../../../../src/qemu/monitor/line-buffer.ts";
import { RealFolder } from "../../../real-host/folder.ts";
import { pour } from "../../../real-host/pour.ts";

const MIB = 1024 * 1024;
const text = (line: Line | undefined): string | undefined =>
  line === undefined ? undefined : new TextDecoder().decode(joinLine(line));

/** Listens as a guest does, and answers each line with itself, twice, in pieces. */
function listen(folder: RealFolder, name = "agent.sock"): { readonly facts: FileFacts; stop(): void } {
  const path = `${folder.path}/${name}`;
  const server = Bun.listen({
    unix: path,
    socket: {
      data(socket, bytes) {
        if (bytes.toString() === "leave\n") {
          socket.end();
          return;
        }
        socket.write(bytes);
        setTimeout(() => socket.write(bytes.subarray(0, 2)), 5);
        setTimeout(() => socket.write(bytes.subarray(2)), 10);
      },
    },
  });
  const facts = folder.host.inspectFile(path);
  if (facts === undefined) throw new Error(`${path} is not there`);
  return { facts, stop: () => server.stop(true) };
}

describe("Host.connectLines() on the real machine", () => {
  test("sends bytes and gives lines, whole, however they come", async () => {
    using folder = new RealFolder();
    const guest = listen(folder);
    const channel = await folder.host.connectLines(guest.facts);
    await channel.send(new TextEncoder().encode("hello\n"), 10_000);
    expect(text(await channel.readLine(10_000, MIB))).toBe("hello");
    expect(text(await channel.readLine(10_000, MIB))).toBe("hello");
    expect(await channel.readLine(0, MIB)).toBeUndefined();
    channel.close();
    guest.stop();
  });

  test("sends more than the socket takes at once, as the guest takes it", async () => {
    using folder = new RealFolder();
    const path = `${folder.path}/agent.sock`;
    let taken = 0;
    const slow = Bun.listen({
      unix: path,
      socket: {
        open: (socket) => {
          socket.pause();
          setTimeout(() => socket.resume(), 200);
        },
        data: (_, bytes) => {
          taken += bytes.length;
        },
      },
    });
    const facts = folder.host.inspectFile(path);
    if (facts === undefined) throw new Error(`${path} is not there`);
    const channel = await folder.host.connectLines(facts);
    await channel.send(new Uint8Array(8 * MIB).fill(0x78), 20_000);
    while (taken < 8 * MIB) await Bun.sleep(5);
    channel.close();
    slow.stop(true);
  });

  test("has sent what the socket has taken, though it takes no more and the guest has read nothing", async () => {
    using folder = new RealFolder();
    const path = `${folder.path}/agent.sock`;
    const mute = Bun.listen({
      unix: path,
      socket: { open: (socket) => void socket.pause(), data: () => undefined },
    });
    const facts = folder.host.inspectFile(path);
    if (facts === undefined) throw new Error(`${path} is not there`);
    const channel = await folder.host.connectLines(facts);
    // More than a quarter of SO_SNDBUF: above it poll(2) no longer reports the socket as ready.
    // unix_writable() of Linux
    await channel.send(new Uint8Array(150_000), 500);
    channel.close();
    mute.stop(true);
  });

  test("says that the guest closed the connection", async () => {
    using folder = new RealFolder();
    const guest = listen(folder);
    const channel = await folder.host.connectLines(guest.facts);
    await channel.send(new TextEncoder().encode("leave\n"), 10_000);
    await expect(channel.readLine(10_000, MIB)).rejects.toThrow("the guest closed the connection");
    channel.close();
    guest.stop();
  });

  test("gives each of very many short lines", async () => {
    using folder = new RealFolder();
    const path = `${folder.path}/agent.sock`;
    const lines = 300_000;
    const server = Bun.listen({
      unix: path,
      socket: { open: (socket) => pour(socket, `${"x\n".repeat(lines)}`), data: () => undefined },
    });
    const facts = folder.host.inspectFile(path);
    if (facts === undefined) throw new Error(`${path} is not there`);
    const channel = await folder.host.connectLines(facts);
    for (let at = 0; at < lines; at += 1) {
      const line = await channel.readLine(10_000, 1);
      if (text(line) !== "x") throw new Error(`line ${at} is ${text(line)}`);
    }
    expect(await channel.readLine(0, 1)).toBeUndefined();
    await expect(channel.readLine(100, 1)).resolves.toBeUndefined();
    channel.close();
    server.stop(true);
  });

  test("connects to the socket that was inspected, not to what stands in its place", async () => {
    using folder = new RealFolder();
    const [guest, other] = [listen(folder), listen(folder, "other.sock")];
    renameSync(`${folder.path}/other.sock`, guest.facts.id.path);
    await expect(folder.host.connectLines(guest.facts)).rejects.toThrow();
    guest.stop();
    other.stop();
  });
});
