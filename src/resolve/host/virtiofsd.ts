import type { Filesystem } from "../../domain/devices/filesystem.ts";
import type { Domain } from "../../domain/domain.ts";
import type { LabelDecision } from "../../label/guest-label.ts";
import type { HelperOrder } from "../../plan/facts/guest-order.ts";
import { guestPaths } from "../../plan/paths.ts";
import { filesystemId, virtiofsSocket } from "../../qemu/launch.ts";
import type { Node } from "../../state/instance.ts";
import type { UsedFolder } from "../files/shared-folders.ts";

/** Where Debian's package has it. virtiofsd(1) */
const PROGRAM = "/usr/libexec/virtiofsd";

/** It has one open for each file that its guest knows. The hard limit that systemd gives. systemd.exec(5) LimitNOFILE= */
const MOST_DESCRIPTORS = 524_288;

/** All of a user's numbers: 2^32 - 1 is none. */
const ALL_IDS = 2 ** 32 - 1;

/** For whom the servers of a guest's folders run, and what they serve. */
interface Served {
  readonly label: LabelDecision;
  readonly uid: number;
  readonly folders: readonly UsedFolder[];
}

/**
 * The servers of the folders that a guest shares by virtiofs: processes of the guest's own, each of which works in its
 * folder, by descriptor, and finds nothing else by name but the socket that it makes.
 */
export function decideVirtiofsd(node: Node, domain: Domain, served: Served): readonly HelperOrder[] {
  return domain.devices.filesystems.flatMap((found, index) => {
    if (found.driver?.type !== "virtiofs" || found.source.dir === undefined) return [];
    const { dir } = found.source;
    return served.folders
      .filter(({ names }) => names.includes(dir))
      .map((folder) =>
        orderServer(node, domain, {
          ...served,
          found,
          folder,
          id: filesystemId(domain.devices.filesystems, index),
        }),
      );
  });
}

function orderServer(
  node: Node,
  domain: Domain,
  server: Served & { readonly found: Filesystem; readonly folder: UsedFolder; readonly id: string },
): HelperOrder {
  const { folder, found, id, label, uid } = server;
  const socket = virtiofsSocket(guestPaths(node.paths, domain.uuid).workFolder, id);
  return {
    program: found.binary?.path ?? PROGRAM,
    words: ["--shared-dir", ".", "--socket-path", socket, ...formatOptions(found, uid)],
    environment: { LC_ALL: "C", PATH: "/usr/bin:/bin" },
    ...(label.label === undefined ? {} : { context: label.label }),
    uid,
    workFolder: folder.facts.id,
    logFile: `${node.paths.log}/${domain.name}.log`,
    mostDescriptors: found.binary?.openfiles?.max ?? MOST_DESCRIPTORS,
    ready: socket,
  };
}

/**
 * Its own sandboxes take capabilities, or a user namespace of a user who is nobody: the guest's context and user are its
 * sandbox. What a guest's users make is all of the guest's one user on the host, and that one's files are root's to the
 * guest.
 */
function formatOptions({ binary, readonly }: Filesystem, uid: number): readonly string[] {
  const { cache, openfiles, threadPool, xattr } = binary ?? {};
  const ids = [`squash-guest:0:${uid}:${ALL_IDS}`, `host:${uid}:0:1`];
  return [
    ...["--sandbox", "none", "--log-level", "warn"],
    ...ids.flatMap((map) => ["--translate-uid", map, "--translate-gid", map]),
    // It may not allow itself more than it was given.
    ...["--rlimit-nofile", String(openfiles?.max ?? 0)],
    ...(readonly ? ["--readonly"] : []),
    ...(xattr === true ? ["--xattr"] : []),
    ...(cache === undefined ? [] : ["--cache", cache.mode === "none" ? "never" : cache.mode]),
    ...(threadPool === undefined ? [] : ["--thread-pool-size", String(threadPool.size)]),
  ];
}
