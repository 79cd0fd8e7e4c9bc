import { describe, expect, test } from "bun:test";
import { parseBalloonStatistics } from "../../../src/qemu/monitor/balloon-statistics.ts";
import { parseBlockNodes } from "../../../src/qemu/monitor/block-nodes.ts";
import { parseDirtyRate } from "../../../src/qemu/monitor/dirty-rate.ts";
import { parseIothreads } from "../../../src/qemu/monitor/iothreads.ts";
import { parseKvmStatistics } from "../../../src/qemu/monitor/kvm-statistics.ts";
import { parseBlockStatistics, parseNodeStatistics } from "../../../src/qemu/monitor/statistics.ts";
import { parseVcpuThreads } from "../../../src/qemu/monitor/vcpu-threads.ts";
import { RealFolder } from "../../real-host/folder.ts";
import { qemuProgram, startQemu, testDomain } from "../real-qemu.ts";

// Parses answers of the QEMU on this machine.

const aside = qemuProgram === null ? " (skipped: no qemu-system-x86_64)" : "";

describe.skipIf(qemuProgram === null)(`answers of a real QEMU${aside}`, () => {
  test("are understood, whatever domstats asks", async () => {
    using folder = new RealFolder();
    const domain = testDomain("", { rest: "<iothreads>2</iothreads>" });
    const qemu = await startQemu({ ...domain, vcpu: { count: 2 } }, folder.path, new Map());
    const vcpus = parseVcpuThreads(await qemu.execute("query-cpus-fast"));
    expect(vcpus.map(({ index }) => index)).toEqual([0, 1]);
    const found = await qemu.execute("query-iothreads");
    expect(parseIothreads(found).map(({ id }) => id)).toEqual([1, 2]);
    const path = "/machine/peripheral/balloon0";
    const told = await qemu.execute("qom-get", { path, property: "guest-stats" });
    // The guest has not started and reports nothing.
    expect(parseBalloonStatistics(told)).toEqual([["last_update", 0]]);
    expect(parseDirtyRate(await qemu.execute("query-dirty-rate")).status).toBe("unstarted");
    expect(parseBlockNodes(await qemu.execute("query-named-block-nodes")).size).toBe(0);
    const statistics = await qemu.execute("query-blockstats");
    expect([parseBlockStatistics(statistics).size, parseNodeStatistics(statistics).size]).toEqual([0, 0]);
    const schemas = await qemu.execute("query-stats-schemas");
    const counted = await qemu.execute("query-stats", { target: "vcpu" });
    expect(parseKvmStatistics(schemas, counted, "vcpu").size).toBe(0);
    qemu.kill();
  });
});
