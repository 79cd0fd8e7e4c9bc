import { SvirtError } from "../errors.ts";
import type { Host } from "../host/host.ts";
import type { Paths } from "../plan/paths.ts";

/**
 * Returns the folders of an ordinary user's instance, below the home in /etc/passwd and below /run/user. The
 * environment is not used: a guest's reaper and its starting shell have different environments, and both must
 * use the same folders. Each folder is resolved on access: a command without guests needs none. An access
 * throws "not-found", "denied".
 */
export function sessionPaths(host: Pick<Host, "readText" | "inspectFile">, uid: number): Paths {
  let home: string | undefined;
  let run: string | undefined;
  const getHome = (): string => {
    home ??= findHome(host, uid);
    return home;
  };
  return {
    instance: "session",
    get config() {
      return `${getHome()}/.config/svirt`;
    },
    get state() {
      return `${getHome()}/.local/state/svirt`;
    },
    get log() {
      return `${getHome()}/.local/state/svirt/log`;
    },
    get run() {
      run ??= findRunFolder(host, uid);
      return `${run}/svirt`;
    },
  };
}

/** Returns the user's home. name:password:UID:GID:comment:home:shell, passwd(5) */
function findHome(host: Pick<Host, "readText">, uid: number): string {
  const lines = (host.readText("/etc/passwd") ?? "").split("\n").map((line) => line.split(":"));
  const [, , , , , home = ""] = lines.find(([, , number]) => number === String(uid)) ?? [];
  if (home.startsWith("/") && home !== "/") return home.replace(/\/+$/, "");
  throw new SvirtError(
    `Cannot find the guests of user ${uid}: /etc/passwd has no home folder for that user`,
    {
      kind: "not-found",
      remedy: "Add the user with a home folder: adduser",
    },
  );
}

function findRunFolder(host: Pick<Host, "inspectFile">, uid: number): string {
  const path = `/run/user/${uid}`;
  const found = host.inspectFile(path);
  if (found?.type === "folder" && found.uid === uid) return path;
  const is = found === undefined ? "does not exist" : "does not belong to that user";
  throw new SvirtError(`Cannot store the state of user ${uid}'s guests: ${path} ${is}`, {
    kind: found === undefined ? "not-found" : "denied",
    remedy: `Log in with systemd, which creates it (loginctl enable-linger keeps it), or run as root: install -d -m 700 -o ${uid} ${path}`,
  });
}
