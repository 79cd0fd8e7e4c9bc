import { SvirtError } from "../errors.ts";
import { canonicalRange } from "./level.ts";

/**
 * Security context, `user:role:type[:range]`. The range is kept as written. selinux(8), libselinux
 * context_new(3)
 */
export interface Context {
  readonly user: string;
  readonly role: string;
  readonly type: string;
  readonly range: string | undefined;
}

const WORD = /^[A-Za-z0-9_.-]+$/;
const RANGE = /^[A-Za-z0-9_.,:-]+$/;
/** SECURITY_CONTEXT_MAX of libvirt (VIR_SECURITY_LABEL_BUFLEN is 4096 with the NUL). */
const MAX_LENGTH = 4095;

/** Reads a context, with or without the kernel's trailing NUL and newline. Throws "usage". */
export function parseContext(text: string): Context {
  const context = parseContextOrUndefined(text);
  if (context === undefined) {
    throw new SvirtError(
      `Cannot read the security context "${shown(text)}": it is not user:role:type[:range]`,
      {
        kind: "usage",
        remedy: "Write it like system_u:system_r:svirt_t:s0:c1,c2.",
      },
    );
  }
  return context;
}

/** Reads a context; undefined for other text, such as the kernel's "kernel" before a policy is loaded. */
export function parseContextOrUndefined(text: string): Context | undefined {
  const trimmed = trimLabel(text);
  const [user, role, type, ...rest] = trimmed.split(":");
  if (user === undefined || role === undefined || type === undefined || trimmed.length > MAX_LENGTH)
    return undefined;
  if (![user, role, type].every((word) => WORD.test(word))) return undefined;
  const range = rest.length === 0 ? undefined : rest.join(":");
  if (range !== undefined && !RANGE.test(range)) return undefined;
  return { user, role, type, range };
}

/** Returns the context with its range as the kernel writes it. Throws "usage". */
export function canonicalContext(text: string): string {
  const context = parseContext(text);
  const { range } = context;
  return formatContext(range === undefined ? context : { ...context, range: canonicalRange(range) });
}

/** Formats a context as `user:role:type[:range]`, without a NUL. */
export function formatContext(context: Context): string {
  const { user, role, type, range } = context;
  return [user, role, type, ...(range === undefined ? [] : [range])].join(":");
}

/**
 * Removes trailing NULs and newlines from a label of an xattr or of /proc. libselinux writes the NUL and
 * other programs do not. All readers remove it.
 */
export function trimLabel(text: string): string {
  return text.replace(/[\0\n]+$/, "");
}

/**
 * Formats a context for a file of /proc/PID/attr, with a NUL at its end as libselinux writes it. An empty
 * context becomes a newline, which clears the attribute. proc_pid_attr(5)
 */
export function formatAttribute(context: string): string {
  return context === "" ? "\n" : `${context}\0`;
}

function shown(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
