import { fileURLToPath } from "node:url";

const BUILD = fileURLToPath(new URL("build", import.meta.url));

/** Returns the folder with the servers' programs; builds it if it is missing. */
export function buildServers(): string {
  const built = Bun.spawnSync([BUILD], { stderr: "inherit" });
  if (!built.success) throw new Error("Cannot put together the servers for the test");
  return built.stdout.toString().trim();
}

/** Waits until a server listens at the port. Throws after a minute, or if the server has ended. */
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
