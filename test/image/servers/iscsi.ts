import { networkInterfaces } from "node:os";
import { buildServers, waitForListener } from "./programs.ts";

/** Port to which the policy lets iscsid connect. */
const PORT = 3260;
/** Number in the name of tgt's control socket. */
const CONTROL_PORT = "3260";

/** iSCSI target of the test, in another process on this computer. */
export interface IscsiTarget {
  /**
   * Address of the target. It is not a loopback address: a target reports its address, and each machine has a
   * loopback.
   */
  readonly address: string;
  readonly name: string;
  stop(): Promise<void>;
}

/** User that may log in, by CHAP. */
interface Login {
  readonly user: string;
  readonly password: string;
}

/** Starts tgt with one disk, for the user of this login. Throws if it does not start. tgtadm(8) */
export async function serveIscsi(disk: string, { password, user }: Login): Promise<IscsiTarget> {
  const programs = buildServers();
  const address = ownAddress();
  const name = "iqn.2026-11.test:disk";
  const control = ["--control-port", CONTROL_PORT];
  const env = { ...process.env, LD_LIBRARY_PATH: `${programs}/usr/lib/x86_64-linux-gnu` };
  const words = ["-f", "-C", CONTROL_PORT, "--iscsi", `portal=${address}:${PORT}`];
  const server = Bun.spawn([`${programs}/usr/sbin/tgtd`, ...words], {
    env,
    stdio: ["ignore", "ignore", "ignore"],
  });
  const stop = async () => {
    server.kill("SIGKILL");
    await server.exited;
  };
  try {
    await waitForListener(address, PORT, server);
    for (const order of [
      ["new", "target", "--tid", "1", "-T", name],
      ["new", "logicalunit", "--tid", "1", "--lun", "1", "-b", disk],
      ["new", "account", "--user", user, "--password", password],
      ["bind", "account", "--tid", "1", "--user", user],
      ["bind", "target", "--tid", "1", "-I", "ALL"],
    ]) {
      const [op = "", mode = "", ...rest] = order;
      const all = [...control, "--lld", "iscsi", "--op", op, "--mode", mode, ...rest];
      const done = Bun.spawnSync([`${programs}/usr/sbin/tgtadm`, ...all], { env });
      if (!done.success) throw new Error(`Cannot set up the iSCSI target: ${done.stderr.toString()}`);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { address, name, stop };
}

function ownAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const found = all.find(({ family, internal }) => family === "IPv4" && !internal);
  if (found === undefined)
    throw new Error("Cannot serve iSCSI: this computer has no address but the loopback's");
  return found.address;
}
