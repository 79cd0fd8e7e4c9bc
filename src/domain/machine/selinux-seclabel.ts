import type { Seclabel } from "./seclabel.ts";

/** The one that says how SELinux confines the guest; a domain that says nothing has a dynamic label. */
export function selinuxSeclabel(labels: readonly Seclabel[]): Seclabel {
  return labels.find(({ model: name }) => name !== "dac") ?? { type: "dynamic" };
}
