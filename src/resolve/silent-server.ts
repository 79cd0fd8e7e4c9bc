import { SvirtError, unlessRefused } from "../errors.ts";
import type { Host } from "../host/host.ts";
import { isServerMount } from "./pool-mount.ts";

// Rule: A server that does not answer within 2 s refuses the work.

/** Time for a server to answer. */
const ANSWER_MS = 2000;

/**
 * Returns the mount point above a path whose server does not answer; undefined if all answer or the path is
 * on no server.
 */
export type FindSilent = (path: string) => Promise<string | undefined>;

/**
 * Returns a search for silent servers. A server is asked at the first path to its mount, and only once. It
 * takes paths as they are written: following a symbolic link could ask a server. The caller holds no lock
 * awaited by other commands.
 */
export function silentServers(host: Host): FindSilent {
  const mounts = host.listMounts().filter(isServerMount);
  const known = new Map<string, Promise<boolean>>();
  const hasAnswer = async (mount: string): Promise<boolean> => {
    const answer = known.get(mount) ?? host.hasAnswer(mount, ANSWER_MS);
    known.set(mount, answer);
    return await answer;
  };
  return async (path) => {
    for (const mount of mounts)
      if (isWithin(path, mount.path) && !(await hasAnswer(mount.path))) return mount.path;
    return undefined;
  };
}

/** The search of askServers(). */
export type SilentAt = (path: string) => string | undefined;

/** Asks all servers at once, and returns a search among the silent servers, as silentServers(). */
export async function askServers(host: Host): Promise<SilentAt> {
  const mounts = host.listMounts().filter(isServerMount);
  const answers = await Promise.all(mounts.map(async ({ path }) => await host.hasAnswer(path, ANSWER_MS)));
  const silent = mounts.filter((_, at) => answers[at] === false);
  return (path) => silent.find((mount) => isWithin(path, mount.path))?.path;
}

/** Whether a server's file system is mounted at all. Most hosts have none, and need no search. */
export function hasServers(host: Host): boolean {
  return host.listMounts().some(isServerMount);
}

/** Throws "timeout" if the server of a path does not answer. */
export async function refuseSilent(host: Host, path: string, attempt: string): Promise<void> {
  const mount = await silentServers(host)(path);
  if (mount !== undefined) throw silentServer(mount, attempt);
}

/** Throws "timeout" for a path whose server does not answer. Each server is asked once. */
export async function refuseSilentPaths(host: Host, paths: readonly string[]): Promise<void> {
  const findSilent = paths.length === 0 ? undefined : silentServers(host);
  for (const path of paths) {
    const mount = await findSilent?.(path);
    if (mount !== undefined) throw silentServer(mount, `use ${path}`);
  }
}

/**
 * Does a look at files before a lock awaited by other commands: the server of a mount is asked when the look
 * leads there, also by the header of an image. Returns the host for the same look under the lock, without
 * other servers' files. Throws "timeout" for a silent server; other errors of the look are left to the second
 * look, since the files may change.
 */
export async function askedHost(host: Host, look: (host: Host) => unknown): Promise<Host> {
  const mounts = host.listMounts().filter(isServerMount);
  if (mounts.length === 0) return host;
  const answering = new Set<string>();
  const unasked = new Map<string, string>();
  const guard = (path: string): void => {
    const mount = mounts.find((one) => isWithin(path, one.path) && !answering.has(one.path));
    if (mount === undefined) return;
    unasked.set(mount.path, path);
    throw unaskedServer(mount.path, path);
  };
  const asked: Host = {
    ...host,
    inspectFile(path) {
      guard(path);
      return host.inspectFile(path);
    },
    listFolder(path) {
      guard(path);
      return host.listFolder(path);
    },
  };
  for (;;) {
    unlessRefused(() => look(asked));
    if (unasked.size === 0) return asked;
    for (const [mount, path] of unasked) {
      if (!(await host.hasAnswer(mount, ANSWER_MS))) throw silentServer(mount, `use ${path}`);
      answering.add(mount);
    }
    unasked.clear();
  }
}

/** Returns the error of a file that an image names only since its servers were asked. */
function unaskedServer(mount: string, path: string): SvirtError {
  return new SvirtError(`Cannot use ${path}: whether the server of ${mount} answers is not known yet`, {
    kind: "timeout",
    remedy: "Try again.",
  });
}

/** Returns the error of an attempt in need of a silent server's files. */
export function silentServer(mount: string, attempt: string): SvirtError {
  return new SvirtError(
    `Cannot ${attempt}: the server of ${mount} has not answered within ${ANSWER_MS / 1000} seconds`,
    { kind: "timeout", remedy: "See whether the server runs and the network leads to it, and try again." },
  );
}

function isWithin(path: string, folder: string): boolean {
  return `${path}/`.startsWith(folder === "/" ? "/" : `${folder}/`);
}
