import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { lookAtVcpus, type VcpuActivity } from "../../../src/run/process/vcpu-activity.ts";
import { hasKvm, qemuProgram } from "../../qemu/real-qemu.ts";
import { RealFolder } from "../../real-host/folder.ts";

/** A boot sector that jumps to itself: the vCPU always runs. */
const BOOT_SECTOR = new Uint8Array(512);
BOOT_SECTOR.set([0xeb, 0xfe]);
BOOT_SECTOR.set([0x55, 0xaa], 510);
const TIMEOUT_MS = 60_000;

for (const accelerator of ["tcg", "kvm"]) {
  const isAble = qemuProgram !== null && (accelerator === "tcg" || hasKvm());
  const aside = isAble ? "" : " (skipped: needs QEMU, and /dev/kvm for kvm)";
  test.skipIf(!isAble)(
    `lookAtVcpus() tells a guest of a real QEMU that runs from a stopped one, ${accelerator}${aside}`,
    async () => await tellApart(accelerator),
    TIMEOUT_MS,
  );
}

async function tellApart(accelerator: string): Promise<void> {
  using folder = new RealFolder();
  const disk = folder.file("boot");
  writeFileSync(disk, BOOT_SECTOR);
  const words = ["-accel", accelerator, "-m", "16", "-display", "none", "-name", "x,debug-threads=on"];
  const drive = ["-drive", `file=${disk},format=raw,if=floppy,snapshot=on`, "-monitor", "stdio", "-S"];
  const qemu = Bun.spawn([qemuProgram ?? "", ...words, ...drive], {
    stdin: "pipe",
    stdout: "ignore",
    stderr: "ignore",
  });
  // A stopped vCPU stays so. One that runs leaves KVM for a moment, and the next look finds it in QEMU.
  const becomes = async (wanted: VcpuActivity): Promise<void> => {
    const expected = wanted === "active" ? [wanted] : [wanted, wanted];
    const look = (): VcpuActivity[] => expected.map(() => lookAtVcpus(folder.host, qemu.pid));
    const end = Date.now() + TIMEOUT_MS / 4;
    let seen = look();
    for (; !Bun.deepEquals(seen, expected) && Date.now() < end; seen = look()) await Bun.sleep(10);
    expect(seen).toEqual(expected);
  };
  const say = (word: string): void => {
    qemu.stdin.write(`${word}\n`);
    qemu.stdin.flush();
  };
  try {
    say("cont");
    await becomes("active");
    say("stop");
    await becomes("unknown");
    say("cont");
    await becomes("active");
    process.kill(qemu.pid, "SIGSTOP");
    await becomes("halted");
  } finally {
    qemu.kill("SIGKILL");
    await qemu.exited;
  }
}
