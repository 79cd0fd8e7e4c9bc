import type { Filesystem } from "../../domain/devices/filesystem.ts";
import type { Domain } from "../../domain/domain.ts";
import type { LabelDecision } from "../../label/label-decision.ts";
import type { HelperSpec } from "../../plan/facts/launch-spec.ts";
import { guestPaths } from "../../plan/paths.ts";
import { filesystemId, virtiofsSocket } from "../../qemu/launch.ts";
import type { Instance } from "../../state/instance.ts";
import type { ResolvedFolder } from "../files/shared-folders.ts";

// Rule: The helpers of a guest run in the guest's context.

/** Path in Debian's package. virtiofsd(1) */
const PROGRAM = "/usr/libexec/virtiofsd";

/**
 * Limit on descriptors: virtiofsd has a descriptor for each file known to its guest. systemd's hard limit.
 * systemd.exec(5) LimitNOFILE=
 */
const MOST_DESCRIPTORS = 524_288;

/** Number of user ids: 2^32 - 1 is not an id. */
const ALL_IDS = 2 ** 32 - 1;

/** Folders to serve, and the guest of their servers. */
interface Served {
  readonly label: LabelDecision;
  readonly uid: number;
  readonly folders: readonly ResolvedFolder[];
}

/**
 * Decides the servers of a guest's folders by virtiofs. Each is a process of the guest at work in its folder,
 * passed as a descriptor. It can open no path but its own socket.
 */
export function decideVirtiofsd(instance: Instance, domain: Domain, served: Served): readonly HelperSpec[] {
  return domain.devices.filesystems.flatMap((found, index) => {
    if (found.driver?.type !== "virtiofs" || found.source.dir === undefined) return [];
    const { dir } = found.source;
    return served.folders
      .filter(({ names }) => names.includes(dir))
      .map((folder) =>
        orderServer(instance, domain, {
          ...served,
          found,
          folder,
          id: filesystemId(domain.devices.filesystems, index),
        }),
      );
  });
}

function orderServer(
  instance: Instance,
  domain: Domain,
  server: Served & { readonly found: Filesystem; readonly folder: ResolvedFolder; readonly id: string },
): HelperSpec {
  const { folder, found, id, label, uid } = server;
  const socket = virtiofsSocket(guestPaths(instance.paths, domain.uuid).workFolder, id);
  return {
    program: found.binary?.path ?? PROGRAM,
    words: ["--shared-dir", ".", "--socket-path", socket, ...formatOptions(found, uid)],
    environment: { LC_ALL: "C", PATH: "/usr/bin:/bin" },
    ...(label.label === undefined ? {} : { context: label.label }),
    uid,
    workFolder: folder.facts.id,
    logFile: `${instance.paths.log}/${domain.name}.log`,
    mostDescriptors: found.binary?.openfiles?.max ?? MOST_DESCRIPTORS,
    ready: socket,
  };
}

/**
 * Formats options. virtiofsd's sandboxes need capabilities or a user namespace, so the guest's context and
 * user confine it instead. Files of all users in the guest belong to the guest's user on the host; to the
 * guest, that user's files belong to root.
 */
function formatOptions({ binary, readonly }: Filesystem, uid: number): readonly string[] {
  const { cache, openfiles, threadPool, xattr } = binary ?? {};
  const ids = [`squash-guest:0:${uid}:${ALL_IDS}`, `host:${uid}:0:1`];
  return [
    ...["--sandbox", "none", "--log-level", "warn"],
    ...ids.flatMap((map) => ["--translate-uid", map, "--translate-gid", map]),
    // virtiofsd must not raise its limit.
    ...["--rlimit-nofile", String(openfiles?.max ?? 0)],
    ...(readonly ? ["--readonly"] : []),
    ...(xattr === true ? ["--xattr"] : []),
    ...(cache === undefined ? [] : ["--cache", cache.mode === "none" ? "never" : cache.mode]),
    ...(threadPool === undefined ? [] : ["--thread-pool-size", String(threadPool.size)]),
  ];
}
