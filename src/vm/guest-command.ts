import type { Domain } from "../domain/domain.ts";
import { SvirtError } from "../errors.ts";
import type { FileFacts } from "../host.ts";
import type { LabelDecision } from "../label/decide-label.ts";
import type { GuestOrder } from "../plan/guest-order.ts";
import { guestPaths } from "../plan/paths.ts";
import { formatArgv } from "../qemu/argv.ts";
import { listDescriptors } from "../qemu/descriptors.ts";
import type { GatheredFiles } from "./gather-files.ts";
import type { Node } from "./node.ts";

const DEFAULT_EMULATOR = "/usr/bin/qemu-system-x86_64";

/** The command that becomes the guest, with every file that it will find open. Throws "unsupported", "not-found". */
export function orderGuest(
  node: Node,
  domain: Domain,
  decided: { readonly gathered: GatheredFiles; readonly label: LabelDecision; readonly uid: number },
): GuestOrder {
  const paths = guestPaths(node.paths, domain.uuid);
  const { chains, files } = decided.gathered;
  const launch = listDescriptors(domain, { chains, monitor: paths.monitor });
  const known = new Map<string, FileFacts>(files.map(({ facts, named }) => [named, facts]));
  const context = decided.label.label;
  return {
    uuid: domain.uuid,
    program: domain.devices?.emulator ?? DEFAULT_EMULATOR,
    words: [...formatArgv(domain, { chains, launch })],
    environment: { LC_ALL: "C", PATH: "/usr/sbin:/usr/bin:/sbin:/bin", HOME: paths.workFolder },
    ...(context === undefined ? {} : { context }),
    uid: decided.uid,
    folder: paths.folder,
    workFolder: paths.workFolder,
    logFile: `${node.paths.log}/${domain.name}.log`,
    sockets: launch.sockets.map(({ fd, path }) => ({ fd, path })),
    files: launch.files.map(({ access, fd, path }) => ({ fd, access, file: fileAt(node, known, path).id })),
  };
}

function fileAt(node: Node, known: ReadonlyMap<string, FileFacts>, path: string): FileFacts {
  const facts = known.get(path) ?? node.host.inspectFile(path);
  if (facts !== undefined) return facts;
  throw new SvirtError(`Cannot hand ${path} to the guest: it does not exist`, {
    kind: "not-found",
    remedy:
      path === "/dev/kvm"
        ? "Load kvm-intel or kvm-amd, or write <domain type='qemu'>."
        : "Put it in its place.",
  });
}
