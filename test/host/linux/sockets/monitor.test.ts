import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { asSvirtError, type SvirtError } from "../../../../src/errors.ts";
import type { Monitor } from "../../../../src/host/monitor.ts";
import { RealFolder } from "../../../real-host/folder.ts";

/** Longer than any of these tests takes, so that an earlier end is not due to the deadline. */
const LONG_MS = 60_000;

/** Runs false QEMUs with these behaviours, each at its own path. */
async function withQemus(
  behaviours: readonly string[],
  use: (folder: RealFolder, paths: readonly string[]) => Promise<void>,
): Promise<void> {
  using folder = new RealFolder();
  const started = behaviours.map((behaviour, at) => {
    const path = `${folder.path}/${at}.sock`;
    const words = [process.execPath, `${import.meta.dir}/../../../real-host/false-qemu.ts`, path, behaviour];
    return { path, process: Bun.spawn(words, { stdout: "pipe" }) };
  });
  try {
    for (const { process: qemu } of started) await qemu.stdout.getReader().read();
    await use(
      folder,
      started.map(({ path }) => path),
    );
  } finally {
    for (const { process: qemu } of started) qemu.kill();
    await Promise.all(started.map(({ process: qemu }) => qemu.exited));
  }
}

/** Returns the answer to a query, by a QEMU of that behaviour, within that time. */
async function ask(behaviour: string, timeoutMs: number): Promise<unknown> {
  let answer: unknown;
  await withQemus([behaviour], async ({ host }, [path = ""]) => {
    const monitor = await host.connectMonitor(path, timeoutMs);
    try {
      answer = await monitor.execute("query-status");
    } finally {
      monitor.close();
    }
  });
  return answer;
}

async function errorOf(work: Promise<unknown>): Promise<SvirtError> {
  try {
    await work;
  } catch (error) {
    return asSvirtError(error);
  }
  throw new Error("it was expected to throw and did not");
}

test("a monitor's answer counts once it was asked for", async () => {
  expect(await ask("early", LONG_MS)).toBe("asked");
});

test("a monitor reports which devices the guest has released, and whose removal it has rejected", async () => {
  await withQemus(["rejects-removal"], async ({ host }, [path = ""]) => {
    const monitor = await host.connectMonitor(path, LONG_MS);
    await monitor.execute("device_del", { id: "one" });
    const ends = ["one", "two", "three"].map((device) => monitor.waitUntilDeleted(device, 10));
    expect(await Promise.all(ends)).toEqual(["rejected", "deleted", "kept"]);
    monitor.close();
  });
});

test("a monitor's blank lines say nothing", async () => {
  expect(await ask("blank-lines", LONG_MS)).toBe("asked");
});

test("a pipe that QEMU does not take is closed at both ends", async () => {
  const countOpen = (): number => readdirSync("/proc/self/fd").length;
  await withQemus(["refuses"], async ({ host }, [path = ""]) => {
    const monitor = await host.connectMonitor(path, LONG_MS);
    const before = countOpen();
    const opening = monitor.openPipe({ direction: "from-guest", name: "state" });
    expect((await errorOf(opening)).message).toEndWith("unable to execute QEMU command: not now");
    expect(countOpen()).toBe(before);
    monitor.close();
    expect((await errorOf(monitor.execute("query-status"))).message).toEndWith("does not listen");
  });
});

describe("a conversation has one deadline as a whole", () => {
  test.each(["mute", "mute-after-greeting", "wrong-id", "drips"])(
    "with a QEMU that is: %s",
    async (behaviour) => {
      const error = await errorOf(ask(behaviour, 500));
      expect(error.kind).toBe("timeout");
      expect(error.message).toEndWith("no answer within 0.5 s");
    },
  );

  test("also where each answer comes in time", async () => {
    await withQemus(["late"], async ({ host }, [path = ""]) => {
      const monitor = await host.connectMonitor(path, 1500);
      const questions = Array.from({ length: 20 }, () => "query-status");
      const asking = async (): Promise<void> => {
        for (const question of questions) await monitor.execute(question);
      };
      expect((await errorOf(asking())).message).toEndWith("no answer within 1.5 s");
      monitor.close();
    });
  });

  test("which is set anew for what makes progress", async () => {
    await withQemus(["late"], async ({ host }, [path = ""]) => {
      const monitor = await host.connectMonitor(path, 1500);
      for (let at = 0; at < 10; at += 1) {
        monitor.allow(1500);
        expect(await monitor.execute("query-status")).toBe("asked");
      }
      monitor.close();
    });
  });
});

test("many QEMUs are asked at once: those that say nothing keep none of the others waiting", async () => {
  const behaviours = ["mute", "mute-after-greeting", "late", "mute", "drips", "answers"];
  await withQemus(behaviours, async ({ host }, paths) => {
    const happened: string[] = [];
    const asked = paths.map(async (path, at) => {
      happened.push("begins");
      let monitor: Monitor | undefined;
      try {
        monitor = await host.connectMonitor(path, 3000);
        happened.push(`${behaviours[at]} ${await monitor.execute("query-status")}`);
      } catch (error) {
        happened.push(asSvirtError(error).kind);
      } finally {
        monitor?.close();
      }
    });
    await Promise.all(asked);
    // In sequence, the last one would begin only after the deadline of the first.
    expect(happened.slice(0, 6)).toEqual(Array(6).fill("begins"));
    expect(happened.slice(6, 8).toSorted()).toEqual(["answers asked", "late asked"]);
    expect(happened.slice(8)).toEqual(Array(4).fill("timeout"));
  });
});

describe("a QEMU is told from one that answers when it", () => {
  test.each([
    ["floods", "it sent more than 2097152 bytes without an answer"],
    ["endless", "a message has more than 1048576 bytes"],
    ["nested", "a message is nested more than 512 levels deep"],
  ])("%s", async (behaviour, why) => {
    const error = await errorOf(ask(behaviour, LONG_MS));
    expect(error.kind).toBe("failed");
    expect(error.message).toBe(`Cannot parse QEMU's monitor: ${why}`);
  });
});
