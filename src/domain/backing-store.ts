import { choice } from "../xml/choice.ts";
import type { ElementForm } from "../xml/declaration.ts";
import { dropped, element } from "../xml/element.ts";
import { attribute, child, children, lazyChild, required } from "../xml/field.ts";
import { oneOf } from "../xml/value-form.ts";
import { type SourceSeclabel, sourceSeclabel } from "./source-seclabel.ts";
import { absolutePath } from "./words.ts";

/** The image formats that svirt gives to a guest. */
export const imageFormat = oneOf("raw", "qcow2");
export type ImageFormat = "raw" | "qcow2";

/**
 * `<source file='…'>` and `<source dev='…'>`. The index is that of a running guest and is read over.
 * https://libvirt.org/formatdomain.html#hard-drives-floppy-disks-cdroms
 */
export const fileSource = element(
  "source",
  { file: required(attribute("file", absolutePath)), seclabels: children(sourceSeclabel) },
  [dropped("@index", "svirt numbers images at each start")],
);
export const blockSource = element(
  "source",
  { dev: required(attribute("dev", absolutePath)), seclabels: children(sourceSeclabel) },
  [dropped("@index", "svirt numbers images at each start")],
);

/** An image below another one; "end" is `<backingStore/>`, which says that there is none below. */
export type BackingStore =
  | { readonly type: "end" }
  | (Below & { readonly type: "file"; readonly source: { readonly file: string } & Overrides })
  | (Below & { readonly type: "block"; readonly source: { readonly dev: string } & Overrides });

interface Below {
  readonly format: { readonly type: ImageFormat };
  /** `undefined`: to be found in the image's own header. */
  readonly backingStore?: BackingStore;
}

interface Overrides {
  readonly seclabels: readonly SourceSeclabel[];
}

const format = required(child(element("format", { type: required(attribute("type", imageFormat)) })));
const deeper = lazyChild("backingStore", () => backingStore);

/** `<backingStore>`, https://libvirt.org/formatdomain.html#hard-drives-floppy-disks-cdroms */
export const backingStore: ElementForm<BackingStore> = choice("backingStore", {
  attribute: "type",
  silent: "end",
  of: {
    end: {},
    file: { format, source: required(child(fileSource)), backingStore: deeper },
    block: { format, source: required(child(blockSource)), backingStore: deeper },
  },
  refused: {
    network: "svirt does not open network images yet",
    volume: "svirt does not look volumes up yet",
  },
  exceptions: [dropped("@index", "svirt numbers images at each start")],
});
