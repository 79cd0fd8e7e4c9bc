import { describe, expect, test } from "bun:test";

// This kernel may run without SELinux, so files replace those of selinuxfs in a separate mount namespace.
// "context" is the kernel's oom_score_adj, which answers like selinuxfs: EINVAL or success. "access" is a
// FIFO, which returns the question: its first word replaces the kernel's answer.

const HOST = new URL("../../../../src/host/linux/linux-host.ts", import.meta.url).pathname;
const isAble = process.getuid?.() === 0 && Bun.spawnSync(["unshare", "-m", "true"]).exitCode === 0;
const ASIDE = isAble ? "" : " (skipped: needs root, and mount namespaces)";
const FOLDER = `set -e
if [ -d /sys/fs/selinux ]; then mount -t tmpfs none /sys/fs/selinux; else mount -t tmpfs none /sys/fs; mkdir /sys/fs/selinux; fi
cd /sys/fs/selinux
`;

/** Returns the value of an expression of a host in that namespace. */
function ask(preparation: string, expression: string): unknown {
  const script = `import { makeLinuxHost } from "${HOST}";
    const host = makeLinuxHost();
    process.stdout.write(JSON.stringify({ found: ${expression} }));`;
  const shell = `${FOLDER}${preparation}\nexec "$0" -e "$1"`;
  const child = Bun.spawnSync(["unshare", "-m", "sh", "-c", shell, process.execPath, script]);
  if (!child.success) throw new Error(child.stderr.toString());
  return (JSON.parse(child.stdout.toString()) as { readonly found?: unknown }).found;
}

describe.skipIf(!isAble)(`what selinuxfs tells${ASIDE}`, () => {
  test.each([
    ["true", "disabled"],
    ["printf 1 >enforce", "enforcing"],
    ["printf 0 >enforce", "permissive"],
  ])("after %s is the mode %s", (preparation, mode) => {
    expect(ask(preparation, "[host.getSelinux().mode, host.getSelinuxMode()]")).toEqual([mode, mode]);
  });

  test("of the loaded policy is its version, its kind and its digest", () => {
    const files = "printf 33 >policyvers; printf 1 >mls; printf 0 >deny_unknown; printf policy >policy";
    const sha256 = new Bun.CryptoHasher("sha256").update("policy").digest("hex");
    const found = { version: 33, isMls: true, denyUnknown: false, sha256 };
    expect(ask(files, "host.getPolicy()")).toEqual(found);
    const others = "printf 31 >policyvers; printf 0 >mls; printf 1 >deny_unknown";
    expect(ask(others, "host.getPolicy()")).toEqual({ version: 31, isMls: false, denyUnknown: true });
    expect(ask("true", "host.getPolicy()")).toBeUndefined();
  });

  test("of a context is whether it is valid, and all else is an error", () => {
    const asked = `["5", "no number"].map((context) => host.isValidContext(context))`;
    expect(ask(": >context; mount --bind /proc/$$/oom_score_adj context", asked)).toEqual([true, false]);
    expect(() => ask("true", `host.isValidContext("5")`)).toThrow("ENOENT");
  });

  test("of access is one bit for each permission, by the numbers that the policy gives them", () => {
    const files = `mkfifo access; mkdir -p class/blk_file/perms; printf 11 >class/blk_file/index
      for at in 1 2 3 32; do printf $at >class/blk_file/perms/p$at; done`;
    const mayAccess = (answer: string, ...permissions: readonly string[]) =>
      ask(
        files,
        `host.mayAccess(${JSON.stringify({ context: answer, label: "label", type: "block", permissions })})`,
      );
    expect(mayAccess("80000005", "p1", "p3", "p32")).toBe(true);
    expect(mayAccess("5", "p1", "p2")).toBe(false);
    expect(mayAccess("7fffffff", "p32")).toBe(false);
    expect(mayAccess("0")).toBe(true);
    expect(ask("true", `host.mayAccess({ permissions: ["p1"], type: "file" })`)).toBe(true);
  });
});
