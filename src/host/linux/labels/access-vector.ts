import { closeSync, constants, existsSync, openSync, readFileSync, readSync, writeSync } from "node:fs";
import type { FileAccess } from "../../selinux.ts";

const SELINUXFS = "/sys/fs/selinux";
const MOST_BYTES = 4096;
const CLASSES: Readonly<Record<FileAccess["type"], string>> = {
  file: "file",
  block: "blk_file",
  character: "chr_file",
  folder: "dir",
  fifo: "fifo_file",
  socket: "sock_file",
};

/**
 * Implements Host.mayAccess by the kernel's decision for a source, a target and a class:
 * `ALLOWED DECIDED AUDITALLOW AUDITDENY SEQNO FLAGS` in hexadecimal. linux security/selinux/selinuxfs.c
 * sel_write_access()
 */
export function mayAccess({ context, label, permissions, type }: FileAccess): boolean {
  if (!existsSync(`${SELINUXFS}/access`)) return true;
  const folder = `${SELINUXFS}/class/${CLASSES[type]}`;
  const index = readFileSync(`${folder}/index`, "utf8").trim();
  const allowed = Number.parseInt(ask(`${context} ${label} ${index}`).split(" ")[0] ?? "", 16);
  return permissions.every((permission) => {
    const bit = Number(readFileSync(`${folder}/perms/${permission}`, "utf8"));
    return ((allowed >>> (bit - 1)) & 1) === 1;
  });
}

/** Writes a query and reads its answer on the same descriptor. */
function ask(question: string): string {
  const fd = openSync(`${SELINUXFS}/access`, constants.O_RDWR);
  try {
    writeSync(fd, question);
    const answer = Buffer.alloc(MOST_BYTES);
    return answer.toString("latin1", 0, readSync(fd, answer));
  } finally {
    closeSync(fd);
  }
}
