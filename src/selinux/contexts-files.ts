import { SvirtError } from "../errors.ts";
import { type Context, parseContextOrUndefined } from "./context.ts";

/** What a policy names for QEMU: with KVM, and with TCG, which must run code that it has written. */
export interface DomainContexts {
  readonly kvm: Context;
  readonly qemu: Context;
}

/** What a policy names for a guest's own images and for content that several guests read. */
export interface ImageContexts {
  readonly image: Context;
  readonly content: Context;
}

/** `/etc/selinux/TYPE/contexts/virtual_domain_context`: one line for KVM, an optional one for TCG. Throws "failed". */
export function parseDomainContexts(text: string, path: string): DomainContexts {
  const [kvm, qemu] = contextLines(text, path);
  if (kvm === undefined) throw lacks(path, "a process context");
  return { kvm, qemu: qemu ?? kvm };
}

/** `/etc/selinux/TYPE/contexts/virtual_image_context`: one line for images, one for content. Throws "failed". */
export function parseImageContexts(text: string, path: string): ImageContexts {
  const [image, content] = contextLines(text, path);
  if (image === undefined) throw lacks(path, "an image context");
  if (content === undefined) throw lacks(path, "a content context in its second line");
  return { image, content };
}

/** The value of a key in `/etc/selinux/config`, such as SELINUXTYPE. selinux_config(5) */
export function parseSelinuxConfig(text: string, key: string): string | undefined {
  const line = text.split("\n").find((candidate) => candidate.startsWith(`${key}=`));
  return line?.slice(key.length + 1).trim();
}

function contextLines(text: string, path: string): Context[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const context = parseContextOrUndefined(line);
      if (context === undefined) throw lacks(path, `a context where it has "${line.slice(0, 80)}"`);
      return context;
    });
}

function lacks(path: string, what: string): SvirtError {
  return new SvirtError(`Cannot learn the types of guests: ${path} lacks ${what}`, {
    kind: "failed",
    remedy: "Install a policy with virtualization support, or mend that file.",
  });
}
