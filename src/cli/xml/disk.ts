import type { FileType } from "../../host/files.ts";
import { emptyDraft, textDraft } from "../../xml/draft.ts";
import { formatDocument } from "../../xml/format-document.ts";
import { makeDraft } from "./make-draft.ts";

/** Options of attach-disk by name, with their values. */
type Options = ReadonlyMap<string, string>;

/** Formats the `<disk>` that virsh makes of its options. cmdAttachDisk() of libvirt's tools/virsh-domain.c */
export function formatDiskOptions(
  disk: { readonly source: string; readonly target: string; readonly found: FileType | undefined },
  options: Options,
): string {
  const { found, source, target } = disk;
  const type = options.get("sourcetype") ?? (found === "block" ? "block" : "file");
  const draft = makeDraft("disk", { type, device: options.get("type") });
  const driver = makeDraft("driver", {
    name: options.get("driver"),
    type: options.get("subdriver"),
    cache: options.get("cache"),
    io: options.get("io"),
  });
  if (driver.attributes.size > 0) draft.children.push(driver);
  if (source !== "")
    draft.children.push(makeDraft("source", { [type === "block" ? "dev" : "file"]: source }));
  draft.children.push(makeDraft("target", { dev: target, bus: options.get("targetbus") }));
  for (const mode of ["readonly", "shareable"])
    if (options.get("mode") === mode) draft.children.push(emptyDraft(mode));
  const serial = options.get("serial");
  if (serial !== undefined) draft.children.push(textDraft("serial", serial));
  const alias = options.get("alias");
  if (alias !== undefined) draft.children.push(makeDraft("alias", { name: alias }));
  return formatDocument(draft);
}
