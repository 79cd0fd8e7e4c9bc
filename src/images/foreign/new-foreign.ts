import type { ForeignContent, ForeignFormat, NewForeign } from "./foreign-image.ts";
import { formatVmdk } from "./new-vmdk.ts";
import { formatVpc } from "./new-vpc.ts";

/** Returns a new image of another hypervisor's format. Throws "unsupported" for its size. */
export function formatForeign(
  format: ForeignFormat,
  image: NewForeign & { readonly name: string },
): ForeignContent {
  switch (format) {
    case "vmdk":
      return formatVmdk(image);
    case "vpc":
      return formatVpc(image);
  }
}
