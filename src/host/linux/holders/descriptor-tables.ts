import { readdirSync, readFileSync } from "node:fs";
import { libc } from "../calls/libc.ts";
import type { LookBudget } from "./look-budget.ts";

/** asm/unistd_64.h; elsewhere asm-generic/unistd.h */
const SYS_KCMP = process.arch === "x64" ? 312n : 272n;
/** linux/kcmp.h */
const KCMP_FILES = 2n;

/**
 * Lists /proc folders of threads, a folder for each descriptor table: clone(2) and unshare(2) let a thread
 * have its own. Throws TooMuchError before it reads a table if the tables have room for too many. kcmp(2)
 */
export function listTables(budget: LookBudget, pid: number): readonly string[] {
  const own: string[] = [];
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    budget.spend(pid, 1 + own.length);
    if (!own.some((other) => hasSameTable(other, thread))) own.push(thread);
  }
  const tables = own.map((thread) => `/proc/${pid}/task/${thread}`);
  budget.refuse(
    pid,
    tables.reduce((sum, table) => sum + roomOf(table), 0),
  );
  return tables;
}

function hasSameTable(one: string, other: string): boolean {
  return libc().syscall(SYS_KCMP, BigInt(one), BigInt(other), KCMP_FILES, 0n) === 0n;
}

/**
 * Returns the capacity of the descriptor table, `FDSize`; 0 for a thread that has ended. proc_pid_status(5)
 */
function roomOf(table: string): number {
  try {
    return Number(/^FDSize:\t(\d+)$/m.exec(readFileSync(`${table}/status`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
