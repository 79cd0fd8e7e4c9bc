import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { makeLinuxHost } from "../../src/host/linux/linux-host.ts";
import type { FileId } from "../../src/plan/facts/file.ts";

/** A folder on a disk, not on a tmpfs where it can be helped; gone when the test is over. */
export class RealFolder {
  readonly path: string;
  readonly host = makeLinuxHost();

  constructor(parent = "/var/tmp") {
    this.path = mkdtempSync(`${parent}/svirt-test-`);
  }

  /** A file in it. */
  file(name: string, text = ""): string {
    writeFileSync(`${this.path}/${name}`, text);
    return `${this.path}/${name}`;
  }

  /** A symlink in it. */
  symlink(name: string, target: string): string {
    symlinkSync(target, `${this.path}/${name}`);
    return `${this.path}/${name}`;
  }

  /** Which file it is. Throws when nothing is there. */
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
 * Users that are this test process's alone, from those that svirt gives to guests: a test that ends all processes of a user
 * ends none of another test's, which may run at the same time. A pid is below 2^22, proc_sys_kernel(5).
 */
export const OWN_USER: number = 0x7100_0000 + 2 * process.pid;
export const OTHER_USER: number = OWN_USER + 1;

/**
 * Why the tests on the real machine cannot run here; undefined when they can. As root they always run: what the machine
 * lacks, or svirt's own calls get wrong, makes them fail.
 */
export const MISSING: string | undefined = process.getuid?.() === 0 ? undefined : "root is needed";

/** What a skipped test says. */
export const ASIDE: string = MISSING === undefined ? "" : ` (skipped: ${MISSING})`;
