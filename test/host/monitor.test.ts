import { expect, test } from "bun:test";
import { RealFolder } from "./real-folder.ts";

test("a monitor's answer counts once it was asked for", async () => {
  using folder = new RealFolder();
  const path = `${folder.path}/monitor.sock`;
  const qemu = Bun.spawn([process.execPath, `${import.meta.dir}/false-qemu.ts`, path], { stdout: "pipe" });
  try {
    await qemu.stdout.getReader().read();
    const monitor = await folder.host.connectMonitor(path, 5000);
    expect(await monitor.execute("query-status")).toBe("asked");
    monitor.close();
  } finally {
    qemu.kill();
  }
});
