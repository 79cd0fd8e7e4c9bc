import type { Host } from "../../host/host.ts";
import { formatRemoval } from "../../network/bridge/packet-rules.ts";
import type { NetworkStep } from "../../plan/steps/network.ts";
import type { StepOf } from "../../plan/steps/step.ts";
import { removeText } from "../remove-text.ts";
import type { Runs } from "./step-effects.ts";

/** The server gives up root, and reads its files again afterwards: other users may read them. */
const [FOLDER_MODE, FILE_MODE] = [0o755, 0o644];

/** Effects of the steps on parts of the host that networks make. */
export const runNetwork: Runs<NetworkStep> = {
  "make-bridge": ({ host }, { bridge }) => host.makeBridge(bridge),
  "remove-bridge": ({ host }, step) => host.removeBridge(step),
  "set-network-rules": async ({ host }, { script }) => await host.setPacketRules(script),
  "remove-network-rules": async ({ host }, { uuid }) => await host.setPacketRules(formatRemoval(uuid)),
  "forward-packets": ({ host }, { path }) => setForwarding(host, path, "1"),
  "stop-forwarding": ({ host }, { bootId, path }) => {
    if (host.getBootId() === bootId) setForwarding(host, path, "0");
  },
  "start-server": async ({ host }, step) => await startServer(host, step),
  "end-server": async ({ host }, step) => await endServer(host, step),
  "test-server": async ({ host }, step) => await testServer(host, step),
  "drop-test": ({ host }, { path }) => removeText(host, path),
};

function setForwarding(host: Host, path: string, value: string): void {
  if (host.readText(path)?.trim() !== value) host.writeControl(path, value);
}

/**
 * A server with these files stays. The leases of an earlier one apply. Throws "failed" if the program does
 * not start.
 */
async function startServer(
  host: Host,
  { above, command, files, folder }: StepOf<"start-server">,
): Promise<void> {
  const isCurrent = files.every(({ path, text }) => host.readText(path) === text);
  if (isCurrent && host.hasDaemon(command[1])) return;
  await host.endDaemon(command[1]);
  makeFolders(host, { above, folder });
  for (const { path, text } of files) host.writeVolatile(path, text, FILE_MODE);
  await host.spawnDaemon(command);
}

/** A missing server is no error. */
async function endServer(host: Host, { argument, folder }: StepOf<"end-server">): Promise<void> {
  if (host.inspectFile(folder) === undefined) return;
  await host.endDaemon(argument);
  host.removeFolder(folder);
}

/** Throws "failed" with the program's message. */
async function testServer(
  host: Host,
  { above, file, folder, program }: StepOf<"test-server">,
): Promise<void> {
  makeFolders(host, { above, folder });
  try {
    host.writeVolatile(file.path, file.text, FILE_MODE);
    await host.spawnDaemon([program, "--test", `--conf-file=${file.path}`]);
  } finally {
    host.removeFile(file.path);
  }
}

function makeFolders(host: Host, { above, folder }: Pick<StepOf<"start-server">, "above" | "folder">): void {
  for (const path of [above, folder]) host.makeFolder({ path, mode: FOLDER_MODE });
}
