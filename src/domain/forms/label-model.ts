/** Label models that svirt implements, the preferred first. XML, records and capabilities have these names. */
export const LABEL_MODELS = ["selinux", "none"] as const;
export type LabelModelName = (typeof LABEL_MODELS)[number];

/** Label model of a guest or file whose XML names none. */
export const DEFAULT_MODEL = "selinux" satisfies LabelModelName;

/** Security models of libvirt and Xen that svirt does not implement. Their labels have no meaning for SELinux. */
export const OTHER_MODELS: readonly string[] = ["apparmor", "smack", "flask"];

/** Reports whether the model of a `<seclabel>` decides labels; without a model it does. `dac` decides owners. */
export function isLabelModel(model: string | undefined): boolean {
  return model === undefined || LABEL_MODELS.some((name) => name === model);
}
