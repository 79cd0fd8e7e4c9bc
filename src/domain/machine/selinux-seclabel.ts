import type { Seclabel } from "./seclabel.ts";

/** Returns the seclabel that decides the SELinux label, the first of a model other than dac; the default is dynamic. */
export function selinuxSeclabel(labels: readonly Seclabel[]): Seclabel {
  return labels.find(({ model: name }) => name !== "dac") ?? { type: "dynamic" };
}
