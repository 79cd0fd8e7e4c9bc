import { formatDomain } from "../../domain/document.ts";
import type { Domain } from "../../domain/domain.ts";
import { luksHeaderBytes } from "../../images/luks/new-luks.ts";
import { formatNewImage } from "../../images/new-qcow2.ts";
import type { Step } from "../../plan/steps/step.ts";
import { factsOfPlanned } from "../../resolve/inspect-file.ts";
import type { Instance } from "../../state/instance.ts";
import type { Beginning } from "../start/decide-start.ts";
import { planDomainStart } from "../start/start.ts";
import type { OffChange } from "./change-images-off.ts";

/**
 * Returns the steps of a start with images that do not exist yet, and changes nothing. The start is decided
 * for a host that has them; the claims on them have no inode. Throws the errors of a start.
 */
export async function planStartAfter(
  instance: Instance,
  { domain, images }: { readonly domain: Domain; readonly images: OffChange["images"] },
  beginning: Beginning,
): Promise<readonly Step[]> {
  const bytes = new TextEncoder().encode(formatDomain(domain));
  return await planDomainStart({ ...instance, host: hostWith(instance.host, images) }, bytes, beginning);
}

/** Returns the host as it is after the images are made. The keys of an encrypted image are zeros. */
function hostWith(host: Instance["host"], images: OffChange["images"]): Instance["host"] {
  const made = new Map(
    images.map(({ image: { luks, ...image }, path }) => {
      const header = luks === undefined ? undefined : new Uint8Array(luksHeaderBytes(luks.cipher));
      return [path, formatNewImage({ ...image, luks: header })] as const;
    }),
  );
  return {
    ...host,
    inspectFile: (path) => (made.has(path) ? factsOfPlanned(path) : host.inspectFile(path)),
    readBytes: (file, offset, length) =>
      made.get(file.path)?.slice(offset, offset + length) ?? host.readBytes(file, offset, length),
  };
}
