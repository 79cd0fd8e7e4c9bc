import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { makeLinuxHost } from "../../src/host/linux/linux-host.ts";
import type { FileId } from "../../src/plan/facts/file.ts";

/** A folder on a disk rather than on a tmpfs, removed after the test. */
export class RealFolder {
  readonly path: string;
  readonly host = makeLinuxHost();

  constructor(parent = "/var/tmp") {
    this.path = mkdtempSync(`${parent}/svirt-test-`);
  }

  /** Creates a file in the folder and returns its path. */
  file(name: string, text = ""): string {
    writeFileSync(`${this.path}/${name}`, text);
    return `${this.path}/${name}`;
  }

  /** Creates a symlink in the folder and returns its path. */
  symlink(name: string, target: string): string {
    symlinkSync(target, `${this.path}/${name}`);
    return `${this.path}/${name}`;
  }

  /** Returns the identity of a file. Throws if it is missing. */
  id(path: string): FileId {
    const facts = this.host.inspectFile(path);
    if (facts === undefined) throw new Error(`${path} is not there`);
    return facts.id;
  }

  getXattr(file: FileId, name: string): string | undefined {
    return this.host.withAttributes(file, (attributes) => attributes.getXattr(name));
  }

  setXattr(file: FileId, name: string, value: string): boolean {
    return this.host.withAttributes(file, (attributes) => attributes.setXattr(name, value));
  }

  removeXattr(file: FileId, name: string): void {
    this.host.withAttributes(file, (attributes) => attributes.removeXattr(name));
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/**
 * Users that only this test process uses, from svirt's range for guests. A test that kills all processes of a
 * user thus spares tests that run at the same time. A pid is below 2^22, proc_sys_kernel(5).
 */
export const OWN_USER: number = 0x7100_0000 + 2 * process.pid;
export const OTHER_USER: number = OWN_USER + 1;

/**
 * Reason why the tests on the real machine cannot run here; undefined if they can. As root they always run,
 * and fail if the machine lacks a feature or one of svirt's calls is wrong.
 */
export const MISSING: string | undefined = process.getuid?.() === 0 ? undefined : "root is needed";

/** Suffix of a skipped test's name. */
export const ASIDE: string = MISSING === undefined ? "" : ` (skipped: ${MISSING})`;
