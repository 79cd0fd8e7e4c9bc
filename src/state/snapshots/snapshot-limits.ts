import { formatSnapshot, parseSnapshot, type Snapshot } from "../../domain/other-documents/snapshot.ts";
import { SvirtError } from "../../errors.ts";
import { MOST_BYTES } from "../../xml/limits.ts";
import type { SnapshotTree } from "./snapshots.ts";

// Rule: A domain has at most 16,384 snapshots.

/**
 * Maximum number of snapshots that libvirt's clients read in a list. REMOTE_DOMAIN_SNAPSHOT_LIST_MAX of
 * libvirt's remote_protocol.x
 */
const MOST_SNAPSHOTS = 16_384;

/** Throws "unsupported" for a snapshot beyond a list's maximum. Called before anything changes. */
export function refuseFull({ snapshots }: SnapshotTree, name: string): void {
  if (snapshots.length < MOST_SNAPSHOTS) return;
  throw new SvirtError(
    `Cannot store the snapshot ${name}: the domain has ${snapshots.length} snapshots, the most that a client of libvirt can list`,
    {
      kind: "unsupported",
      libvirt: "OPERATION_UNSUPPORTED",
      remedy: "Forget old ones: svirt snapshot-delete DOMAIN SNAPSHOT --metadata; or add --no-metadata.",
    },
  );
}

/** Bytes left for what is added later: the parent, and the images of a revert. */
const ROOM_BYTES = 64 * 1024;

/**
 * Throws "xml" for a snapshot that could not be read again once it is stored. Called before anything changes.
 */
export function refuseUnreadable(value: Snapshot): void {
  const bytes = new TextEncoder().encode(formatSnapshot(value));
  parseSnapshot(bytes);
  if (bytes.length <= MOST_BYTES - ROOM_BYTES) return;
  throw new SvirtError(`Cannot store the snapshot ${value.name}: its XML has ${bytes.length} bytes`, {
    kind: "xml",
    remedy: "Shorten the domain's description or metadata, or add --no-metadata.",
  });
}
