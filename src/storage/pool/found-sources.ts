import { SvirtError } from "../../errors.ts";
import { parentDraft } from "../../xml/draft.ts";
import { formatDocument } from "../../xml/format-document.ts";
import { parseDocument } from "../../xml/parse-document.ts";
import { readWhole } from "../../xml/read-whole.ts";
import { notUnderstood } from "../../xml/refusal.ts";
import type { PhysicalVolume } from "./logical/reports.ts";
import { type PoolSource, source } from "./source/source.ts";

/** An exported folder and the clients for which it is; a folder may have blanks. showmount(8) */
const EXPORT = /^(\/[^\p{Cc}]*\S) +\S+$/u;

/**
 * Returns the server with the exports to find, of a `<source>` document. Throws "xml"; "usage" without a
 * server, and "unsupported" for several, with libvirt's messages.
 * virStorageBackendFileSystemNetFindPoolSources() of libvirt
 */
export function serverOf(bytes: Uint8Array | undefined): string {
  if (bytes === undefined)
    throw new SvirtError("invalid argument: hostname must be specified for netfs sources", {
      kind: "usage",
      libvirt: "INVALID_ARG",
      from: "STORAGE",
      remedy: "Name the server: svirt find-storage-pool-sources-as netfs HOST",
    });
  const root = parseDocument(bytes);
  if (root.tag !== source.tag)
    throw notUnderstood({ node: root }, "it is not a <source>", "Give svirt the source of a storage pool.");
  const { hosts } = readWhole<PoolSource>(source, root);
  const [host] = hosts;
  if (host !== undefined && hosts.length === 1) return host.name;
  throw new SvirtError("unsupported configuration: Expected exactly 1 host for the storage pool", {
    kind: "unsupported",
    libvirt: "CONFIG_UNSUPPORTED",
    from: "STORAGE",
    remedy: "Write one <host>.",
  });
}

/** Returns the command for printing the exports of a server. */
export function showmountCommand(program: string, server: string): readonly string[] {
  return [program, "--no-headers", "--exports", server];
}

/** Returns a server's exported folders, by the output of showmount. Any other line is skipped. */
export function parseExports(text: string): readonly string[] {
  return text.split("\n").flatMap((line) => EXPORT.exec(line)?.[1] ?? []);
}

/** Returns the document of the sources that pools may have on an NFS server. */
export function formatNfsSources(server: string, folders: readonly string[]): string {
  const hosts = [{ name: server }];
  return formatSources(
    folders.map((path) => ({ hosts, devices: [], dir: { path }, format: { type: "nfs" } })),
  );
}

/** Returns the document of the volume groups for pools. */
export function formatGroupSources(parts: readonly PhysicalVolume[]): string {
  const groups = Map.groupBy(parts, ({ group }) => group);
  return formatSources(
    [...groups].map(([name, devices]) => ({
      hosts: [],
      devices: devices.map(({ path }) => ({ path })),
      name,
      format: { type: "lvm2" },
    })),
  );
}

/** virStoragePoolSourceListFormat() of libvirt */
function formatSources(sources: readonly PoolSource[]): string {
  const drafts = sources.map((one) => source.format(one));
  return formatDocument({ ...parentDraft("sources", drafts), isPaired: true });
}
