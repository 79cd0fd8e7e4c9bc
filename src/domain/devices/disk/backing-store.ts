import { choice } from "../../../xml/choice.ts";
import type { ElementForm } from "../../../xml/declaration.ts";
import { dropped, element, type ValueOf } from "../../../xml/element.ts";
import { attribute, child, lazyChild, required } from "../../../xml/field.ts";
import {
  blockSource,
  fileSource,
  imageFormat,
  networkImage,
  nvmeSource,
  volumeSource,
} from "../../forms/source/disk.ts";
import { metadataCache } from "./driver.ts";

const formatForm = element("format", () => ({
  type: required(attribute("type", imageFormat)),
  metadataCache,
}));

/** Image below another; "end" is `<backingStore/>`, the end of the chain. */
export type BackingStore =
  | { readonly type: "end" }
  | (Below & { readonly type: "file"; readonly source: ValueOf<typeof fileSource> })
  | (Below & { readonly type: "block"; readonly source: ValueOf<typeof blockSource> })
  | (Below & { readonly type: "network"; readonly source: ValueOf<typeof networkImage> })
  | (Below & { readonly type: "volume"; readonly source: ValueOf<typeof volumeSource> })
  | (Below & { readonly type: "nvme"; readonly source: ValueOf<typeof nvmeSource> });

interface Below {
  readonly format: ValueOf<typeof formatForm>;
  /** `undefined`: the image's own header names it. */
  readonly backingStore?: BackingStore;
}

const format = required(child(formatForm));
const deeper = lazyChild("backingStore", () => backingStore);

/** `<backingStore>`, https://libvirt.org/formatdomain.html#hard-drives-floppy-disks-cdroms */
export const backingStore: ElementForm<BackingStore> = choice("backingStore", {
  attribute: "type",
  silent: "end",
  of: () => ({
    end: {},
    file: { format, source: required(child(fileSource)), backingStore: deeper },
    block: { format, source: required(child(blockSource)), backingStore: deeper },
    network: { format, source: required(child(networkImage)), backingStore: deeper },
    volume: { format, source: required(child(volumeSource)), backingStore: deeper },
    nvme: { format, source: required(child(nvmeSource)), backingStore: deeper },
  }),
  exceptions: [dropped("@index", "svirt numbers images at each start")],
});
