import { type Draft, emptyDraft, textDraft } from "../../xml/draft.ts";
import { formatDocument } from "../../xml/format-document.ts";

/** Arguments of virsh's vol-create-as. */
export interface VolumeArguments {
  readonly name: string;
  readonly capacityBytes: number;
  readonly allocationBytes?: number | undefined;
  readonly format?: string | undefined;
  readonly backing?: { readonly path: string; readonly format?: string | undefined } | undefined;
}

/** Returns the XML that virsh makes of the arguments. cmdVolCreateAs() of libvirt's tools/virsh-volume.c */
export function formatVolumeArguments(words: VolumeArguments): string {
  const { allocationBytes, backing, capacityBytes, format, name } = words;
  const draft = emptyDraft("volume");
  draft.children.push(textDraft("name", name), textDraft("capacity", String(capacityBytes)));
  if (allocationBytes !== undefined) draft.children.push(textDraft("allocation", String(allocationBytes)));
  if (format !== undefined) draft.children.push(around("target", formatDraft(format)));
  if (backing !== undefined) {
    const path = textDraft("path", backing.path);
    draft.children.push(
      around("backingStore", path, ...(backing.format === undefined ? [] : [formatDraft(backing.format)])),
    );
  }
  return formatDocument(draft);
}

function formatDraft(type: string): Draft {
  const draft = emptyDraft("format");
  draft.attributes.set("type", type);
  return draft;
}

function around(tag: string, ...children: readonly Draft[]): Draft {
  const draft = emptyDraft(tag);
  draft.children.push(...children);
  return draft;
}
