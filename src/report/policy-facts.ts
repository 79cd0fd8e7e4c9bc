import { SvirtError } from "../errors.ts";
import type { Host } from "../host.ts";
import type { PolicyFacts } from "../label/decide-label.ts";
import { parseContext } from "../selinux/context.ts";
import { parseDomainContexts, parseImageContexts } from "../selinux/contexts-files.ts";

/** What the loaded policy names for guests and their images. Throws "failed" with what is missing. */
export function readPolicyFacts(host: Host): PolicyFacts {
  const folder = `/etc/selinux/${host.getSelinux().policyName ?? "targeted"}/contexts`;
  const read = (name: string): { text: string; path: string } => {
    const path = `${folder}/${name}`;
    const text = host.readText(path);
    if (text !== undefined) return { text, path };
    throw new SvirtError(`cannot read SELinux context file '${path}': there is none`, {
      kind: "failed",
      remedy: "Install a policy that knows virtual machines, and set SELINUXTYPE in /etc/selinux/config.",
    });
  };
  const domain = read("virtual_domain_context");
  const image = read("virtual_image_context");
  return {
    own: parseContext(host.getOwnContext() ?? ""),
    domain: parseDomainContexts(domain.text, domain.path),
    image: parseImageContexts(image.text, image.path),
  };
}
