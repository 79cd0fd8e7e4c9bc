import { attributesDraft, type Draft, parentDraft, textDraft } from "../../xml/draft.ts";
import { formatDocument } from "../../xml/format-document.ts";
import { backendOf } from "./backends/table.ts";
import { type Formats, POOL_TYPES, type PoolType } from "./pool-types.ts";
import { isStartable } from "./rules/startable.ts";

/**
 * Types of pools and the formats of each; supported are the types with a start in svirt.
 * virStoragePoolCapsFormat() of libvirt
 */
export function formatPoolCapabilities(): string {
  return formatDocument(parentDraft("storagepoolCapabilities", POOL_TYPES.map(typeDraft)));
}

function typeDraft(type: PoolType): Draft {
  const { sourceFormats, volumeFormats } = backendOf(type);
  const draft = attributesDraft("pool", { type, supported: isStartable(type) ? "yes" : "no" });
  if (sourceFormats !== "none")
    draft.children.push(parentDraft("poolOptions", formatsDrafts(sourceFormats, "sourceFormatType")));
  if (volumeFormats !== "none")
    draft.children.push(parentDraft("volOptions", formatsDrafts(volumeFormats, "targetFormatType")));
  return { ...draft, isPaired: true };
}

function formatsDrafts({ standard, values }: Formats, name: string): readonly Draft[] {
  const listed = attributesDraft("enum", { name });
  listed.children.push(...values.map((value) => textDraft("value", value)));
  return [attributesDraft("defaultFormat", { type: standard }), { ...listed, isPaired: true }];
}
