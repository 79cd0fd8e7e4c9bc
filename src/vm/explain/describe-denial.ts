import type { Context } from "../../selinux/context.ts";
import type { Denial } from "../../selinux/denials/denial.ts";

/** Readable names of the kernel's classes. linux security/selinux/include/classmap.h */
const CLASSES: ReadonlyMap<string, string> = new Map([
  ["file", "a file"],
  ["dir", "a folder"],
  ["lnk_file", "a symlink"],
  ["chr_file", "a character device"],
  ["blk_file", "a block device"],
  ["sock_file", "the name of a socket"],
  ["fifo_file", "a pipe"],
  ["anon_inode", "an anonymous file"],
  ["filesystem", "a file system"],
  ["process", "a process"],
  ["process2", "a process"],
  ["fd", "a descriptor of a process"],
  ["capability", "a capability"],
  ["capability2", "a capability"],
  ["cap_userns", "a capability in a namespace"],
  ["system", "the system"],
  ["unix_stream_socket", "a UNIX socket"],
  ["unix_dgram_socket", "a UNIX datagram socket"],
  ["tcp_socket", "a TCP socket"],
  ["udp_socket", "a UDP socket"],
]);

/** Descriptions of permissions with unclear names. */
const DEEDS: ReadonlyMap<string, string> = new Map([
  ["execmem", "execute generated code in (execmem)"],
  ["execstack", "execute code on the stack of (execstack)"],
  ["connectto", "connect to"],
  ["name_connect", "connect to (name_connect)"],
  ["name_bind", "listen on (name_bind)"],
  ["node_bind", "bind an address for (node_bind)"],
  ["relabelfrom", "relabel (relabelfrom)"],
  ["relabelto", "give its label to (relabelto)"],
  ["signull", "check the existence of (signull)"],
  ["add_name", "add a name to (add_name)"],
  ["remove_name", "remove a name from (remove_name)"],
  ["mounton", "mount on"],
]);

/** Describes a denial in a sentence: `svirt_t may not read a file of type var_t`. */
export function describeDenial(denial: Denial, source: Context, target: Context): string {
  const { operation, permissions, targetClass } = denial;
  if (operation !== undefined)
    return `${source.type} may not enter or create objects of ${target.type} (${operation}): ${denial.target} is not a context of the policy`;
  const deeds = permissions.map((word) => DEEDS.get(word) ?? word).join(", ");
  if (targetClass.startsWith("cap"))
    return `${source.type} may not use the capability ${permissions.join(", ")}`;
  const thing = CLASSES.get(targetClass) ?? `a ${targetClass}`;
  if (source.type === target.type && denial.source === denial.target)
    return `${source.type} may not ${deeds} ${thing} of its own`;
  return `${source.type} may not ${deeds} ${thing} of type ${target.type}`;
}

/** Formats the missing CIL rule, as in secilc's documentation. */
export function allowRule(denial: Denial, source: Context, target: Context): string {
  const whom = denial.source === denial.target ? "self" : target.type;
  return `(allow ${source.type} ${whom} (${denial.targetClass} (${denial.permissions.join(" ")})))`;
}
