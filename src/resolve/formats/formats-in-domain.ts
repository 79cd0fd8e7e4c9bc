import { imageFormatOf, isReadOnly } from "../../domain/devices/disk/facts.ts";
import { encryptionOf, isDecryptedByQemu } from "../../domain/devices/disk/secrets.ts";
import { parseDomainText } from "../../domain/document.ts";
import type { ImageFile, Resource } from "../../domain/resources/resource.ts";
import { listResources } from "../../domain/resources/resources.ts";
import { unlessRefused } from "../../errors.ts";

/** Paths of a file, and how to find that of a volume by its pool. */
interface Sought {
  readonly paths: ReadonlySet<string>;
  pathOf(volume: { readonly pool: string; readonly volume: string }): string | undefined;
}

/** Lists a domain's formats of any of these paths. */
export function formatsIn(xml: string, { pathOf, paths }: Sought): readonly string[] {
  const domain = unlessRefused(() => parseDomainText(xml));
  // Of an unreadable domain, nothing is known.
  if (domain === undefined) return ["raw"];
  return [
    ...listResources(domain).flatMap((resource) => formatsOf(resource, paths)),
    ...domain.devices.disks.flatMap((disk) => {
      if (disk.type !== "volume" || disk.source === undefined) return [];
      if (!paths.has(pathOf(disk.source) ?? "")) return [];
      const format = given(imageFormatOf(disk), isDecryptedByQemu(encryptionOf(disk)));
      return isReadOnly(disk) && format === "raw" ? [] : [format];
    }),
  ];
}

function formatsOf(resource: Resource, paths: ReadonlySet<string>): readonly string[] {
  const isOnlyRead = "access" in resource && resource.access === "read-only";
  if (resource.kind !== "disk") return paths.has(resource.path) && !isOnlyRead ? ["raw"] : [];
  const images: readonly ImageFile[] = [resource, ...resource.backing];
  return images.flatMap(({ dataFile, format, isEncrypted, path }, depth) => {
    const top = given(format, isEncrypted === true);
    // A medium only read by its guest has the operator's content.
    const isMedium = depth === 0 && isOnlyRead && !resource.shareable && top === "raw";
    return [
      ...(paths.has(path) && !isMedium ? [top] : []),
      ...(dataFile !== undefined && paths.has(dataFile.path) ? ["raw"] : []),
    ];
  });
}

function given(format: string | undefined, isEncrypted: boolean): string {
  if (format === undefined || format === "raw") return isEncrypted ? "luks" : "raw";
  return format;
}
