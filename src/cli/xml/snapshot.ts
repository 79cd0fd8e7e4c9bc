import { SvirtError } from "../../errors.ts";
import type { SnapshotDisk } from "../../vm/block/snapshot.ts";
import { type Draft, emptyDraft, textDraft } from "../../xml/draft.ts";
import { formatDocument } from "../../xml/format-document.ts";
import { makeDraft } from "./make-draft.ts";

const KEYS = ["snapshot", "driver", "file"] as const;

/** Parses `vda,snapshot=external,file=/a`; a comma in a value is doubled. virshParseSnapshotDiskspec() of libvirt */
export function parseDiskspec(text: string): SnapshotDisk {
  const [name = "", ...words] = text.split(/(?<!,),(?!,)/).map((word) => word.replaceAll(",,", ","));
  const found = new Map<string, string>();
  for (const word of words) {
    const [, key = "", value = ""] = /^(\w+)=(.*)$/s.exec(word) ?? [];
    if (!KEYS.some((known) => known === key) || found.has(key) || value === "") throw unparsable(text);
    found.set(key, value);
  }
  if (name === "") throw unparsable(text);
  return { name, snapshot: found.get("snapshot"), driver: found.get("driver"), file: found.get("file") };
}

/** Formats the XML that virsh would pass to libvirt. cmdSnapshotCreateAs() of libvirt's tools/virsh-snapshot.c */
export function formatSnapshot(snapshot: {
  readonly name: string | undefined;
  readonly description: string | undefined;
  readonly disks: readonly SnapshotDisk[];
}): string {
  const { description, disks, name } = snapshot;
  const root = emptyDraft("domainsnapshot");
  if (name !== undefined) root.children.push(textDraft("name", name));
  if (description !== undefined) root.children.push(textDraft("description", description));
  if (disks.length > 0) {
    const list = emptyDraft("disks");
    list.children.push(...disks.map(diskDraft));
    root.children.push(list);
  }
  return `${formatDocument(root)}\n`;
}

function diskDraft({ driver, file, name, snapshot }: SnapshotDisk): Draft {
  const draft = makeDraft("disk", { name, snapshot });
  if (driver !== undefined) draft.children.push(makeDraft("driver", { type: driver }));
  if (file !== undefined) draft.children.push(makeDraft("source", { file }));
  return draft;
}

function unparsable(text: string): SvirtError {
  return new SvirtError(`unable to parse diskspec: ${text}`, {
    kind: "usage",
    remedy: "Write disk[,snapshot=external][,driver=qcow2][,file=PATH].",
  });
}
