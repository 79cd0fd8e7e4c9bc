import { fileURLToPath } from "node:url";

const BUILD = fileURLToPath(new URL("build", import.meta.url));

/** The folder with the servers' programs, put together if it is not there. */
export function buildServers(): string {
  const built = Bun.spawnSync([BUILD], { stderr: "inherit" });
  if (!built.success) throw new Error("Cannot put together the servers for the test");
  return built.stdout.toString().trim();
}

/** Waits until something listens there. Throws when nothing does for a minute, or the server has ended. */
export async function waitForListener(hostname: string, port: number, server: Bun.Subprocess): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!(await listens(hostname, port))) {
    if (performance.now() > deadline || server.exitCode !== null) throw new Error("A server does not start");
    await Bun.sleep(200);
  }
}

async function listens(hostname: string, port: number): Promise<boolean> {
  return await Bun.connect({ hostname, port, socket: { data: () => undefined } })
    .then((socket) => socket.end() !== undefined)
    .catch(() => false);
}
