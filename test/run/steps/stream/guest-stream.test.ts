import { afterEach, describe, expect, test } from "bun:test";
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeLinuxHost } from "../../../../src/host/linux/linux-host.ts";
import { inverse } from "../../../../src/plan/steps/inverse.ts";
import type { StreamStep } from "../../../../src/plan/steps/stream.ts";
import { ClaimRegistry } from "../../../../src/registry/claims.ts";
import { resumeGuest, withMonitorSocket } from "../../../../src/run/monitor/converse.ts";
import { runStep } from "../../../../src/run/steps/run-step.ts";
import { dumpMemory } from "../../../../src/run/steps/stream/dump-memory.ts";
import { cancelSave, loadMemory, saveMemory } from "../../../../src/run/steps/stream/save-memory.ts";
import { dropScreen, takeScreenshot } from "../../../../src/run/steps/stream/take-screenshot.ts";
import { qemuProgram } from "../../../qemu/real-qemu.ts";
import { errorOf } from "../../../scenes/scene.ts";
import { untilListening } from "../../until-listening.ts";

// Only a real QEMU shows which bytes it writes and when it closes a pipe.
const missing = qemuProgram === null ? " (skipped: qemu-system-x86_64 or qemu-img is missing)" : "";
const TIMEOUT_MS = 60_000;
const SET = 1_000_000;

describe.skipIf(qemuProgram === null)(`the state of a real QEMU${missing}`, () => {
  const host = makeLinuxHost();
  const registry = new ClaimRegistry(host, "/nowhere");
  const actor = { host, registry, owner: "11111111-2222-4333-8444-000000000001", uid: 0 };
  const folders: string[] = [];
  const running: Bun.Subprocess[] = [];

  afterEach(async () => {
    for (const qemu of running.splice(0)) {
      qemu.kill(9);
      await qemu.exited;
    }
    for (const folder of folders.splice(0)) fs.rmSync(folder, { recursive: true });
  });

  /** Starts a QEMU with a screen and without a guest, in the sandbox of a guest's QEMU. */
  async function start(more: readonly string[] = []) {
    const folder = fs.mkdtempSync(join(tmpdir(), "svirt-stream-"));
    folders.push(folder);
    const monitor = join(folder, "monitor.sock");
    const words = ["-S", "-nodefaults", "-display", "none", "-device", "VGA,id=video0", "-m", "32"];
    const sandbox = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny";
    const socket = `unix:${monitor},server=on,wait=off`;
    const command = [
      qemuProgram ?? "",
      ...words,
      "-machine",
      "pc,accel=tcg",
      "-sandbox",
      sandbox,
      "-qmp",
      socket,
    ];
    running.push(Bun.spawn([...command, ...more], { stdout: "ignore", stderr: "ignore" }));
    await untilListening(monitor);
    return { folder, monitor };
  }

  const ask = (monitor: string, command: string) =>
    withMonitorSocket(host, { monitor, timeoutMs: 10_000 }, (qemu) => qemu.execute(command));
  const statusOf = async (monitor: string) =>
    (await ask(monitor, "query-status")) as { readonly status: string };

  test(
    "is written after the head, and another QEMU goes on from there",
    async () => {
      const { folder, monitor } = await start();
      const to = join(folder, "part");
      const head = { xml: "<domain/>", wasRunning: true };
      await resumeGuest(host, { monitor, commands: [{ execute: "cont" }] });
      await runStep(actor, { do: "pause", monitor, wasRunning: true });
      const seen: number[] = [];
      await saveMemory(host, { do: "save-memory", monitor, to, head }, (done, total) =>
        seen.push(done / total),
      );
      const bytes = fs.readFileSync(to);
      const at = 92 + "<domain/>".length + 1 + 64 * 1024;
      expect([bytes.toString("latin1", 0, 16), bytes.toString("latin1", at, at + 4)]).toEqual([
        "LibvirtQemudSave",
        "QEVM",
      ]);
      expect(fs.statSync(to).mode & 0o777).toBe(0o600);
      expect(seen.every((part) => part >= 0 && part <= 1)).toBe(true);
      const other = await start(["-incoming", "defer"]);
      const facts = host.inspectFile(to);
      if (facts === undefined) throw new Error("the file is not there");
      await loadMemory(host, { do: "load-memory", monitor: other.monitor, from: facts.id, at });
      expect((await statusOf(other.monitor)).status).toBe("paused");
      // The first QEMU could also continue, as after a failed write of the file.
      await resumeGuest(host, { monitor, commands: [{ execute: "cont" }] });
      expect((await statusOf(monitor)).status).toBe("running");
    },
    TIMEOUT_MS,
  );

  test(
    "that is no state is refused, and QEMU's word for it is told or it ends",
    async () => {
      const { folder, monitor } = await start(["-incoming", "defer"]);
      const file = join(folder, "file");
      fs.writeFileSync(file, "XXXX".repeat(100_000));
      const facts = host.inspectFile(file);
      if (facts === undefined) throw new Error("the file is not there");
      const error = await errorOf(loadMemory(host, { do: "load-memory", monitor, from: facts.id, at: 0 }));
      expect(error.kind).toBe("failed");
    },
    TIMEOUT_MS,
  );

  test(
    "that cannot be written is taken back, and QEMU goes on",
    async () => {
      const random = fs.mkdtempSync(join(tmpdir(), "svirt-stream-"));
      folders.push(random);
      // More than a pipe holds, so that QEMU waits for a reader.
      fs.writeFileSync(
        join(random, "bytes"),
        crypto.getRandomValues(new Uint8Array(65_536)).toHex().repeat(64),
      );
      const loader = `loader,file=${join(random, "bytes")},addr=0x100000,force-raw=on`;
      const { folder, monitor } = await start(["-device", loader]);
      await resumeGuest(host, { monitor, commands: [{ execute: "cont" }] });
      const to = join(folder, "part");
      const full = { ...host, makeFile: () => deviceOf("/dev/full") };
      const stop: StreamStep = { do: "pause", monitor, wasRunning: true };
      await runStep(actor, stop);
      const error = await errorOf(saveMemory(full, { do: "save-memory", monitor, to }, undefined));
      expect(error.message).toContain("ENOSPC");
      await cancelSave(host, { do: "cancel-save", monitor });
      const back = inverse(stop);
      if (back === undefined) throw new Error("a pause is not taken back");
      await runStep(actor, back);
      expect((await statusOf(monitor)).status).toBe("running");
      // Nothing prevents the next save.
      await runStep(actor, stop);
      await saveMemory(host, { do: "save-memory", monitor, to }, undefined);
      expect(fs.readFileSync(to).toString("latin1", 0, 4)).toBe("QEVM");
    },
    TIMEOUT_MS,
  );

  function deviceOf(path: string) {
    const facts = host.inspectFile(path);
    if (facts === undefined) throw new Error(`${path} is not there`);
    return facts.id;
  }

  test.each([
    ["elf", "\x7fELF"],
    ["kdump-zlib", "makedumpfile"],
  ])("is dumped as %s", async (format, magic) => {
    const { folder, monitor } = await start();
    const to = join(folder, "core");
    await dumpMemory(host, { do: "dump-memory", monitor, to, format }, undefined);
    expect(fs.readFileSync(to).toString("latin1", 0, magic.length)).toBe(magic);
    const again = join(folder, "again");
    const error = await errorOf(
      dumpMemory(host, { do: "dump-memory", monitor, to: again, format: "kdump-raw-zlib" }, undefined),
    );
    expect(error.message).toContain("seekable");
  });

  test("is drawn as a picture, and QEMU keeps nothing of it", async () => {
    const { folder, monitor } = await start();
    const [buffer, to] = [join(folder, "buffer"), join(folder, "screen.png")];
    const step: Extract<StreamStep, { do: "take-screenshot" }> = {
      do: "take-screenshot",
      monitor,
      to,
      buffer,
      set: SET,
      device: "video0",
      head: 0,
      format: "png",
    };
    await takeScreenshot(host, step);
    expect(fs.readFileSync(to).toString("latin1", 1, 4)).toBe("PNG");
    expect([fs.existsSync(buffer), await keptBy(monitor)]).toEqual([false, []]);
    const refused = { ...step, to: `${to}2`, device: "none" };
    await errorOf(takeScreenshot(host, refused));
    const back = inverse(refused);
    if (back?.do !== "drop-screen") throw new Error("a screenshot is not taken back");
    await dropScreen(host, back);
    await dropScreen(host, back);
    expect(await keptBy(monitor)).toEqual([]);
    fs.rmSync(buffer);
    // A second screenshot therefore uses the same buffer and set.
    await takeScreenshot(host, { ...step, to: `${to}3` });
    expect(fs.readFileSync(`${to}3`)).toEqual(fs.readFileSync(to));
  });

  /**
   * Returns the descriptors in QEMU's sets. A set may stay, empty: QEMU does not release it if it closes the
   * file by fclose().
   */
  async function keptBy(monitor: string): Promise<unknown[]> {
    const sets = (await ask(monitor, "query-fdsets")) as readonly { readonly fds: readonly unknown[] }[];
    return sets.flatMap(({ fds }) => fds);
  }
});
