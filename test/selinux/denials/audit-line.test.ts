import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseContext } from "../../../src/selinux/context.ts";
import { parseAuditLine } from "../../../src/selinux/denials/audit-line.ts";
import { MOST_DENIALS, parseAuditLog } from "../../../src/selinux/denials/denial.ts";
import { dominates } from "../../../src/selinux/level.ts";

/** Denial as the node's kernel wrote it. */
const WORDS =
  'avc:  denied  { read open } for  pid=304 comm="qemu-system-x86" path="/srv/a.img" dev="vdc" ino=54 scontext=system_u:system_r:svirt_t:s0:c1,c2 tcontext=system_u:object_r:var_t:s0 tclass=file permissive=0';
const EVENT = "1795563213.371:3";
const hex = (text: string): string => Buffer.from(text).toString("hex").toUpperCase();
const lineWith = (from: string, to: string): string =>
  `type=AVC msg=audit(${EVENT}): ${WORDS.replace(from, to)}`;
const nameIn = (line: string): string | undefined => parseAuditLine(line)?.fields.get("path");

describe("parseAuditLine()", () => {
  test.each([
    // Documentation/ABI/testing/dev-kmsg
    ["/dev/kmsg", `5,1032,70630589,-;audit: type=1400 audit(${EVENT}): ${WORDS}`],
    ["dmesg", `[   70.630589] audit: type=1400 audit(${EVENT}): ${WORDS}`],
    ["dmesg -r", `<5>[   70.630589] audit: type=1400 audit(${EVENT}): ${WORDS}`],
    ["dmesg -T", `[Tue Nov 24 23:33:33 2026] audit: type=1400 audit(${EVENT}): ${WORDS}`],
    [
      "a system log",
      `Nov 24 23:33:33 node kernel: [   70.630589] audit: type=1400 audit(${EVENT}): ${WORDS}`,
    ],
    ["the journal", `Nov 24 23:33:33 node kernel: audit: type=1400 audit(${EVENT}): ${WORDS}`],
    ["an older kernel", `[   70.630589] type=1400 audit(${EVENT}): ${WORDS}`],
    ["audit.log", `type=AVC msg=audit(${EVENT}): ${WORDS}`],
    ["audit.log of several hosts", `node=a.example type=AVC msg=audit(${EVENT}): ${WORDS}`],
    ["an enriched audit.log", `type=AVC msg=audit(${EVENT}): ${WORDS}\u001dARCH=x86_64 path="/no"`],
  ])("reads a line of %s", (_, line) => {
    const found = parseAuditLine(line);
    expect([found?.type, found?.event, found?.atMs]).toEqual(["AVC", EVENT, 1795563213371]);
    expect([found?.verdict, found?.permissions]).toEqual(["denied", ["read", "open"]]);
    expect(Object.fromEntries(found?.fields ?? [])).toMatchObject({
      pid: "304",
      comm: "qemu-system-x86",
      path: "/srv/a.img",
      dev: "vdc",
      ino: "54",
      scontext: "system_u:system_r:svirt_t:s0:c1,c2",
      tcontext: "system_u:object_r:var_t:s0",
      tclass: "file",
      permissive: "0",
    });
  });

  test("reads what a program such as dbus-daemon has denied, and what libvirt tells of a guest", () => {
    const said = parseAuditLine(
      `type=USER_AVC msg=audit(${EVENT}): pid=1 uid=0 subj=system_u:system_r:init_t:s0 msg='avc:  denied  { start } for auid=0 scontext=system_u:system_r:svirt_t:s0:c1,c2 tcontext=system_u:object_r:x_t:s0 tclass=service permissive=0 exe="/usr/lib/systemd/systemd"'`,
    );
    expect([said?.type, said?.permissions, said?.fields.get("tclass")]).toEqual([
      "USER_AVC",
      ["start"],
      "service",
    ]);
    const machine = parseAuditLog([
      `type=VIRT_MACHINE_ID msg=audit(${EVENT}): pid=9 uid=0 auid=0 ses=1 msg='virt=kvm vm="web 1" uuid=11111111-2222-4333-8444-000000000001 vm-ctx=system_u:system_r:svirt_t:s0:c3,c4 img-ctx=x model=selinux exe="/usr/sbin/libvirtd"'`,
    ]);
    expect(machine.machines).toEqual([
      {
        name: "web 1",
        uuid: "11111111-2222-4333-8444-000000000001",
        context: "system_u:system_r:svirt_t:s0:c3,c4",
      },
    ]);
  });

  test("decodes a name that the kernel writes in hexadecimal, and no other field", () => {
    const name = '/srv/a b"c\u001b[31m.img';
    expect(nameIn(lineWith('"/srv/a.img"', hex(name)))).toBe(name);
    expect(nameIn(lineWith('"/srv/a.img"', '"414243"'))).toBe("414243");
    expect(parseAuditLine(lineWith("ino=54", "ino=5455"))?.fields.get("ino")).toBe("5455");
    expect(nameIn(lineWith('"/srv/a.img"', "(null)"))).toBeUndefined();
  });

  test("believes no line that a program has written into the kernel's log", () => {
    // Facility 1 and above: linux kernel/printk/printk.c devkmsg_write()
    expect(parseAuditLine(`12,1032,70630589,-;audit: type=1400 audit(${EVENT}): ${WORDS}`)).toBeUndefined();
    expect(parseAuditLine(`<13>[   70.630589] audit: type=1400 audit(${EVENT}): ${WORDS}`)).toBeUndefined();
    expect(
      parseAuditLine(`5,1,2,-;usb 1-1: Product: audit: type=1400 audit(${EVENT}): ${WORDS}`),
    ).toBeUndefined();
    expect(parseAuditLine(`x="audit: type=1400 audit(${EVENT}): ${WORDS}`)).toBeUndefined();
  });

  test("takes the kernel's own field, not one that a name brings along", () => {
    const name = hex('/x" scontext=system_u:system_r:init_t:s0 tclass="');
    expect(parseAuditLine(lineWith('"/srv/a.img"', name))?.fields.get("scontext")).toBe(
      "system_u:system_r:svirt_t:s0:c1,c2",
    );
  });
});

describe("parseAuditLog()", () => {
  test("keeps the latest denials of a log of any length, and says that there were more", () => {
    function* lines(count: number): Generator<string> {
      for (let at = 0; at < count; at += 1)
        yield `type=AVC msg=audit(${1700000000 + at}.000:${at}): avc:  denied  { read } for  pid=${at} comm="a" scontext=a_u:a_r:a_t:s0 tcontext=a_u:object_r:b_t:s0 tclass=file permissive=0`;
    }
    const few = parseAuditLog(lines(MOST_DENIALS));
    expect([few.denials.length, few.isCut]).toEqual([MOST_DENIALS, false]);
    const many = parseAuditLog(lines(3 * MOST_DENIALS + 7));
    expect([many.denials.length, many.isCut]).toEqual([MOST_DENIALS, true]);
    expect([many.denials[0]?.pid, many.denials.at(-1)?.pid]).toEqual([
      2 * MOST_DENIALS + 7,
      3 * MOST_DENIALS + 6,
    ]);
    expect(parseAuditLog(lines(100), 1700000090_000).denials).toHaveLength(10);
  });

  test("finds a path in the line that auditd has for it, by the inode", () => {
    const { denials } = parseAuditLog([
      lineWith('path="/srv/a.img"', 'name="a.img"'),
      `type=PATH msg=audit(${EVENT}): item=0 name="/other" inode=7 dev=fe:20 mode=040755`,
      `type=PATH msg=audit(${EVENT}): item=1 name="/srv/a.img" inode=54 dev=fe:20 mode=0100600`,
    ]);
    expect(denials.map(({ object }) => object.path)).toEqual(["/srv/a.img"]);
  });

  test("tells an event once, though the kernel's log and auditd's have it both", () => {
    const kernel = `5,1032,70630589,-;audit: type=1400 audit(${EVENT}): ${WORDS}`;
    expect(parseAuditLog([kernel, lineWith("x", "x"), kernel]).denials).toHaveLength(1);
  });

  test("takes a refused transition to be one of a process, where no class is told", () => {
    const { denials } = parseAuditLog([
      `type=SELINUX_ERR msg=audit(${EVENT}): op=security_bounded_transition seresult=denied oldcontext=a:b:one_t:s0 newcontext=a:b:two_t:s0`,
    ]);
    expect(denials.map(({ source, target, targetClass }) => [source, target, targetClass])).toEqual([
      ["a:b:one_t:s0", "a:b:two_t:s0", "process"],
    ]);
  });

  test("reads a context that the policy does not have, and leaves out what was granted", () => {
    const { denials } = parseAuditLog([
      `type=SELINUX_ERR msg=audit(${EVENT}): op=security_compute_sid invalid_context=unconfined_u:system_r:svirt_t:s0 scontext=unconfined_u:system_r:svirt_manager_t:s0 tcontext=system_u:object_r:qemu_exec_t:s0 tclass=process`,
      lineWith("denied", "granted"),
    ]);
    expect(denials.map(({ operation, target }) => [operation, target])).toEqual([
      ["security_compute_sid", "unconfined_u:system_r:svirt_t:s0"],
    ]);
  });
});

describe("any line at all", () => {
  const pieces = fc.constantFrom(
    ...WORDS.split(" "),
    "type=1400",
    `audit(${EVENT}):`,
    "audit:",
    "msg=audit(",
    "avc: ",
    "denied",
    "{",
    "}",
    "for",
    "path=2F00FF",
    "comm=C3",
    "msg='",
    "'",
    '"',
    "\u001b]0;x\u0007",
    "\u001d",
    "5,1,2,-;",
    "constructor=1",
    "scontext=a:b:c:s0:x",
    "tcontext=a:b:c:s0:c5.c1",
    "tcontext=a:b:c",
    "__proto__=2",
  );
  const line = fc.oneof(
    fc.array(pieces, { maxLength: 40 }).map((words) => words.join(" ")),
    fc.array(pieces, { maxLength: 20 }).map((words) => `type=AVC msg=audit(${EVENT}): ${words.join(" ")}`),
    fc
      .tuple(fc.nat(WORDS.length), fc.string({ unit: "binary", maxLength: 20 }))
      .map(([at, text]) => lineWith(WORDS, WORDS.slice(0, at) + text + WORDS.slice(at))),
  );

  test("is read or passed over, and gives contexts and words that can be shown", () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 5 }), (lines) => {
        for (const denial of parseAuditLog(lines).denials) {
          for (const context of [denial.source, denial.target]) expect(context).toMatch(/^[\w.:,-]+$/);
          const [own = "s0", other = "s0"] = [denial.source, denial.target].map(
            (context) => parseContext(context).range,
          );
          expect(typeof dominates(own, other)).toBe("boolean");
          expect([denial.targetClass, ...denial.permissions].join("")).toMatch(/^\w+$/);
          expect(denial.operation ?? "none").toMatch(/^\w+$/);
          expect(Number.isNaN(new Date(denial.atMs).getTime())).toBe(false);
        }
      }),
      { numRuns: 5000 },
    );
  });

  test.each(["scontext", "tcontext"])("with a NUL behind its %s is passed over", (name) => {
    const words = WORDS.replace(new RegExp(`${name}=\\S+`), (field) => `${field}\0`);
    expect(words).toContain("\0");
    expect(parseAuditLog([lineWith(WORDS, words)]).denials).toEqual([]);
    expect(parseAuditLog([lineWith(WORDS, WORDS)]).denials).toHaveLength(1);
  });

  test("that is far longer than the kernel makes one is passed over", () => {
    const long = `${" kernel: ".repeat(1700)}${"[".repeat(900)}`;
    expect(parseAuditLine(long)).toBeUndefined();
    expect(parseAuditLine(`type=AVC msg=audit(${EVENT}): ${"a=".repeat(100_000)}`)).toBeUndefined();
  });
});
