import type { Domain } from "../domain/domain.ts";
import type { LabelModelName } from "../domain/forms/label-model.ts";
import { guestSeclabel, modelOf } from "../domain/machine/guest-seclabel.ts";

// Rule: A seclabel is dynamic by default; a static one relabels only with relabel='yes'.

/** Label request of a domain's XML, with libvirt's defaults. */
export interface LabelRequest {
  /** Deciding model: `none` for a guest without a label. */
  readonly model: LabelModelName;
  readonly type: "dynamic" | "static" | "none";
  readonly relabel: boolean;
  readonly label: string | undefined;
  readonly baseLabel: string | undefined;
}

/**
 * Returns the label request of the XML, with libvirt's defaults. The default type is dynamic. A static label
 * relabels no file unless the XML has `relabel='yes'`. https://libvirt.org/formatdomain.html#security-label
 */
export function requestOf(domain: Domain): LabelRequest {
  const seclabel = guestSeclabel(domain.seclabels);
  const model = modelOf(seclabel);
  switch (seclabel.type) {
    case "dynamic":
      return { model, type: "dynamic", relabel: true, label: undefined, baseLabel: seclabel.baselabel };
    case "static":
      return {
        model,
        type: "static",
        relabel: seclabel.relabel ?? false,
        label: seclabel.label,
        baseLabel: undefined,
      };
    case "none":
      return { model, type: "none", relabel: false, label: undefined, baseLabel: undefined };
  }
}
