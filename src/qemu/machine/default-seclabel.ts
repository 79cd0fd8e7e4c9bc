import { DEFAULT_MODEL } from "../../domain/forms/label-model.ts";
import type { Seclabel } from "../../domain/machine/seclabel.ts";

/** Returns the seclabel with its defaults. virSecurityLabelDefFormat() of libvirt */
export function fillSeclabel(seclabel: Seclabel): Seclabel {
  switch (seclabel.type) {
    case "none":
      return { type: "none", model: seclabel.model ?? "none" };
    case "dynamic":
      return { ...seclabel, model: seclabel.model ?? DEFAULT_MODEL, relabel: true };
    case "static":
      return { ...seclabel, model: seclabel.model ?? DEFAULT_MODEL, relabel: seclabel.relabel ?? false };
  }
}
