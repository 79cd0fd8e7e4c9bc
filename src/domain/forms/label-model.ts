// Rule: Each label model labels guests by one mechanism of the host.

/**
 * Label models that svirt implements, the preferred first. XML, records and capabilities have these names.
 */
export const LABEL_MODELS = ["selinux", "none"] as const;
export type LabelModelName = (typeof LABEL_MODELS)[number];

/** Default label model of a guest or file. */
export const DEFAULT_MODEL = "selinux" satisfies LabelModelName;

/**
 * Security models of libvirt and Xen that svirt does not implement. Their labels have no meaning for SELinux.
 */
export const OTHER_MODELS: readonly string[] = ["apparmor", "smack", "flask"];

/** Label models with labels of files. Labels of a `<source>` belong to them. */
export const FILE_MODELS = ["selinux"] as const satisfies readonly LabelModelName[];

/** Reports whether the model of a `<seclabel>` is among these. Without a model it is the default model. */
export function isModelOf(models: readonly LabelModelName[], model: string | undefined): boolean {
  return models.some((name) => name === (model ?? DEFAULT_MODEL));
}
