import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { freePort } from "../machine.ts";
import { buildServers, waitForListener } from "./programs.ts";

/** NFS server of the test, in another process on this computer; a machine reaches it at 10.0.2.2. */
export interface NfsServer {
  readonly port: number;
  stop(): Promise<void>;
}

/**
 * File from which Ganesha reads the mounts. systemd's start-up makes it; a root of debootstrap that was never
 * booted lacks it.
 */
const MTAB = "/etc/mtab";
/** Message of Ganesha if it serves nothing. It runs nevertheless. */
const NO_EXPORT = "Could not create export";

/**
 * Starts Ganesha with one writable folder, by NFS 4.1 and 4.2. Throws if it does not serve the folder.
 * nfs-ganesha-config(8)
 */
export async function serveNfs(exported: string): Promise<NfsServer> {
  const programs = buildServers();
  if (!existsSync(MTAB)) symlinkSync("../proc/self/mounts", MTAB);
  const folder = mkdtempSync("/var/tmp/svirt-nfs-");
  const port = freePort();
  const libraries = `${programs}/usr/lib/x86_64-linux-gnu`;
  writeFileSync(
    `${folder}/conf`,
    `NFS_CORE_PARAM { allow_set_io_flusher_fail = true; NFS_Port = ${port}; Bind_addr = 127.0.0.1; Protocols = 4;
  Enable_NLM = false; Enable_RQUOTA = false; Enable_UDP = false; Plugins_Dir = "${libraries}/ganesha"; }
NFSV4 { UseGetpwnam = true; Only_Numeric_Owners = true; Graceless = true; Minor_Versions = 1, 2;
  RecoveryBackend = fs; RecoveryRoot = "${folder}"; }
EXPORT { Export_Id = 1; Path = "${exported}"; Pseudo = "/"; Access_Type = RW; Squash = No_Root_Squash; SecType = sys;
  Transports = TCP; FSAL { Name = VFS; } }\n`,
  );
  const words = ["-F", "-f", `${folder}/conf`, "-L", `${folder}/log`, "-p", `${folder}/pid`];
  const server = Bun.spawn([`${programs}/usr/bin/ganesha.nfsd`, ...words], {
    env: { ...process.env, LD_LIBRARY_PATH: `${libraries}:${programs}/usr/lib/ganesha` },
    stdio: ["ignore", "ignore", "ignore"],
  });
  const stop = async () => {
    server.kill("SIGKILL");
    await server.exited;
    rmSync(folder, { recursive: true });
  };
  try {
    await waitForListener("127.0.0.1", port, server);
    if (readFileSync(`${folder}/log`, "utf8").includes(NO_EXPORT)) throw new Error(NO_EXPORT);
  } catch (cause) {
    const said = readFileSync(`${folder}/log`, "utf8");
    await stop();
    throw new Error(`The NFS server does not serve ${exported}:\n${said.slice(-3000)}`, { cause });
  }
  return { port, stop };
}
