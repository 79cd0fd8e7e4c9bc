import { choice } from "../../xml/choice.ts";
import { element, type ValueOf } from "../../xml/element.ts";
import { attribute, child, children, content, required } from "../../xml/field.ts";
import { oneOf, yesNo } from "../../xml/value-form.ts";
import { networkImage } from "../forms/source/disk.ts";
import { sourceSeclabel } from "../forms/source-seclabel.ts";
import { absolutePath } from "../forms/text.ts";

const format = attribute("format", oneOf("raw", "qcow2"));

const feature = element("feature", () => ({
  enabled: required(attribute("enabled", yesNo)),
  name: required(attribute("name", oneOf("enrolled-keys", "secure-boot"))),
}));

/**
 * `<firmware>` of `<os>`: required features of the firmware.
 * https://libvirt.org/formatdomain.html#bios-bootloader
 */
export const firmwareRequirements = element("firmware", () => ({ features: children(feature) }));

/** `<loader>`, https://libvirt.org/formatdomain.html#bios-bootloader */
export const loader = element("loader", () => ({
  readonly: attribute("readonly", yesNo),
  secure: attribute("secure", yesNo),
  type: attribute("type", oneOf("rom", "pflash")),
  stateless: attribute("stateless", yesNo),
  format,
  path: content(absolutePath),
}));
export type Loader = ValueOf<typeof loader>;

const template = {
  template: attribute("template", absolutePath),
  templateFormat: attribute("templateFormat", oneOf("raw", "qcow2")),
};
const seclabels = children(sourceSeclabel);

/** `<nvram>`: storage of UEFI variables. https://libvirt.org/formatdomain.html#bios-bootloader */
export const nvram = choice("nvram", {
  attribute: "type",
  silent: "path",
  of: () => ({
    path: { ...template, format, path: content(absolutePath) },
    file: {
      ...template,
      format,
      source: required(
        child(element("source", () => ({ file: required(attribute("file", absolutePath)), seclabels }))),
      ),
    },
    block: {
      ...template,
      format,
      source: required(
        child(element("source", () => ({ dev: required(attribute("dev", absolutePath)), seclabels }))),
      ),
    },
    network: { ...template, format, source: required(child(networkImage)) },
  }),
});
export type Nvram = ValueOf<typeof nvram>;
