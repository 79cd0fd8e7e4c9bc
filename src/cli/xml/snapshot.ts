import { SvirtError } from "../../errors.ts";
import type { SnapshotDisk } from "../../vm/block/snapshot-options.ts";
import { type Draft, emptyDraft, textDraft } from "../../xml/draft.ts";
import { formatDocument } from "../../xml/format-document.ts";
import { makeDraft } from "./make-draft.ts";

const KEYS = ["snapshot", "driver", "file"] as const;

/**
 * Parses `vda,snapshot=external,file=/a`; a comma in a value is doubled. virshParseSnapshotDiskspec() of
 * libvirt
 */
export function parseDiskspec(text: string): SnapshotDisk {
  const [name = "", ...words] = text.split(/(?<!,),(?!,)/).map((word) => word.replaceAll(",,", ","));
  const found = new Map<string, string>();
  for (const word of words) {
    const [, key = "", value = ""] = /^(\w+)=(.*)$/s.exec(word) ?? [];
    if (!KEYS.some((known) => known === key) || found.has(key) || value === "")
      throw unparsable("diskspec", text);
    found.set(key, value);
  }
  if (name === "") throw unparsable("diskspec", text);
  return { name, snapshot: found.get("snapshot"), driver: found.get("driver"), file: found.get("file") };
}

/** File for the memory, and where it is, of a snapshot. */
export interface Memspec {
  readonly file: string | undefined;
  readonly snapshot: string | undefined;
}

/**
 * Parses `/a` or `file=/a,snapshot=external`; a comma in a value is doubled. virshParseSnapshotMemspec() of
 * libvirt
 */
export function parseMemspec(text: string): Memspec {
  const words = text.split(/(?<!,),(?!,)/).map((word) => word.replaceAll(",,", ","));
  const found = new Map<string, string>();
  for (const word of words) {
    const [, key = "", value = ""] = /^(?:(snapshot|file)=)?(.*)$/s.exec(word) ?? [];
    const name = key === "" && value.startsWith("/") ? "file" : key;
    if (name === "" || found.has(name)) throw unparsable("memspec", text);
    found.set(name, value);
  }
  return { file: found.get("file"), snapshot: found.get("snapshot") };
}

/** Formats virsh's XML for libvirt. cmdSnapshotCreateAs() of libvirt's tools/virsh-snapshot.c */
export function formatSnapshot(snapshot: {
  readonly name: string | undefined;
  readonly description: string | undefined;
  readonly memory?: Memspec | undefined;
  readonly disks: readonly SnapshotDisk[];
}): string {
  const { description, disks, memory, name } = snapshot;
  const root = emptyDraft("domainsnapshot");
  if (name !== undefined) root.children.push(textDraft("name", name));
  if (description !== undefined) root.children.push(textDraft("description", description));
  if (memory !== undefined)
    root.children.push(makeDraft("memory", { snapshot: memory.snapshot, file: memory.file }));
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

/** How each of virsh's options is written. */
const FORMS = {
  diskspec: "disk[,snapshot=external][,driver=qcow2][,file=PATH]",
  memspec: "[file=]PATH[,snapshot=external]",
} as const;

function unparsable(what: keyof typeof FORMS, text: string): SvirtError {
  return new SvirtError(`unable to parse ${what}: ${text}`, {
    kind: "usage",
    remedy: `Write ${FORMS[what]}.`,
  });
}
