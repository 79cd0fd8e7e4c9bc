import { SvirtError } from "../errors.ts";
import { type Context, parseContextOrUndefined } from "./context.ts";

// Rule: KVM and TCG have different types.

/** Properties of a guest deciding the type of its process. */
export interface GuestKind {
  /** With TCG, QEMU executes code written by itself. */
  readonly virtType: "kvm" | "qemu";
  /** With user networking, QEMU itself opens connections. */
  readonly hasUserNetwork: boolean;
  /**
   * QEMU searches the host's devices for an assigned device. For USB it listens to the kernel's messages
   * about all devices; for NVMe it follows symlinks of sysfs to the VFIO group.
   */
  readonly looksForDevices?: boolean;
}

/** A policy's process contexts for QEMU, with and without user networking. */
interface FourContexts {
  readonly kvm: Context;
  readonly qemu: Context;
  readonly kvmWithNetwork: Context;
  readonly qemuWithNetwork: Context;
}

/** A policy's process contexts for QEMU, by the kind of guest. */
export interface DomainContexts extends FourContexts {
  readonly withUsb: FourContexts;
}

/** Returns the process context for a kind of guest. */
export function domainContextFor(contexts: DomainContexts, kind: GuestKind): Context {
  const four = kind.looksForDevices === true ? contexts.withUsb : contexts;
  if (kind.hasUserNetwork) return kind.virtType === "kvm" ? four.kvmWithNetwork : four.qemuWithNetwork;
  return four[kind.virtType];
}

/** A policy's labels for a guest's own images and for content read by several guests. */
export interface ImageContexts {
  readonly image: Context;
  readonly content: Context;
}

/**
 * Reads `/etc/selinux/TYPE/contexts/virtual_domain_context`: a line for KVM and an optional line for TCG. The
 * policy of svirt adds two for guests with user networking, and four for guests with assigned USB or NVMe
 * devices. A missing line has the context of the closest kind. Throws "failed".
 */
export function parseDomainContexts(text: string, path: string): DomainContexts {
  const lines = contextLines(text, path);
  const [kvm] = lines;
  if (kvm === undefined) throw lacks(path, "a process context");
  const four = fourOf(lines, { kvm, qemu: kvm, kvmWithNetwork: kvm, qemuWithNetwork: lines[1] ?? kvm });
  return { ...four, withUsb: fourOf(lines.slice(4), four) };
}

function fourOf(lines: readonly Context[], others: FourContexts): FourContexts {
  const [
    kvm = others.kvm,
    qemu = others.qemu,
    kvmWithNetwork = others.kvmWithNetwork,
    qemuWithNetwork = others.qemuWithNetwork,
  ] = lines;
  return { kvm, qemu, kvmWithNetwork, qemuWithNetwork };
}

/**
 * Reads `/etc/selinux/TYPE/contexts/virtual_image_context`: a line for images, then a line for content.
 * Throws "failed".
 */
export function parseImageContexts(text: string, path: string): ImageContexts {
  const [image, content] = contextLines(text, path);
  if (image === undefined) throw lacks(path, "an image context");
  if (content === undefined) throw lacks(path, "a content context in its second line");
  return { image, content };
}

/** Returns the value of a key in `/etc/selinux/config`, such as SELINUXTYPE. selinux_config(5) */
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
  return new SvirtError(`Cannot determine the SELinux types of guests: ${path} lacks ${what}`, {
    kind: "failed",
    remedy: "Install a policy with virtualization support, or correct that file.",
  });
}
