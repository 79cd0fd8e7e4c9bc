import { SvirtError } from "../errors.ts";
import { type Instance, isSession } from "../state/instance.ts";

const QEMU = /^qemu:\/\/(?<path>\/[^?]*)?(?:\?.*)?$/;

/**
 * Throws if a client asks for another hypervisor or instance. An empty URI, for which libvirtd looks for a
 * hypervisor, means QEMU. Parameters after `?` belong to the client's transport. virConnectOpenInternal() and
 * virConnectValidateURIPath() of libvirt
 */
export function checkUri(instance: Instance, uri: string): void {
  if (uri === "") return;
  const found = QEMU.exec(uri)?.groups;
  if (found === undefined) {
    throw new SvirtError(`no connection driver available for ${uri}`, {
      kind: "unsupported",
      libvirt: "NO_CONNECT",
      remedy: "Connect to QEMU: qemu+ssh://NODE/system",
    });
  }
  const path = found["path"] ?? "";
  // root may ask for its session: libvirt opens the same instance.
  const allowed = isSession(instance) ? ["/session"] : ["/system", "/session"];
  if (allowed.includes(path)) return;
  const wanted = `qemu://${allowed[0]}`;
  throw new SvirtError(`internal error: unexpected qemu URI path '${path}', try ${wanted}`, {
    kind: "failed",
    remedy: `Connect to ${wanted}.`,
  });
}
