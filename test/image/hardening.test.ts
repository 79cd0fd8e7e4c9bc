import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { directBoot } from "./boots.ts";
import { guestXml, withXml } from "./guest-xml.ts";
import { bootMachine, IMAGE, type Machine } from "./machine.ts";

const SYSCTL = new URL("../../image/ship/root/etc/sysctl.conf", import.meta.url);
const whereBuilt = existsSync(`${IMAGE}/initrd`) ? describe : describe.skip;

/** Reads facts from the booted node; image/README.md gives the reasons. */
whereBuilt("the product's image, hardened", () => {
  let machine: Machine;
  beforeAll(async () => {
    const watchdog = ["-device", "i6300esb", "-action", "watchdog=none"];
    machine = await bootMachine(directBoot(({ admin }) => `svirt.key=${admin}`, watchdog));
  }, 600_000);
  afterAll(async () => await machine.stop());

  test("has a read-only root without setuid programs", async () => {
    expect((await machine.ask("touch /etc/x")).err).toContain("Read-only file system");
    expect((await machine.ask("mount -o remount,rw / && touch /etc/x")).code).not.toBe(0);
    expect(await machine.run("find / -xdev -perm /6000 -type f")).toBe("");
    expect(await machine.run("find / -xdev -perm /2 ! -type l ! -perm /1000")).toBe("");
  });

  test("has no compiler, no package manager, no interpreter but the shell's, and no server but sshd", async () => {
    const names =
      "cc gcc c99 tcc clang as ld make dpkg apt apt-get rpm pip npm bun node python3 perl lua gdb strace " +
      "su sudo login passwd crond httpd udhcpd telnet tftp nc kexec devmem";
    expect(await machine.run(`for name in ${names}; do command -v $name; done; true`)).toBe("");
  });

  test("mounts all but its root and svirt's own program without programs, setuid and devices", async () => {
    const mounts = (await machine.run("cat /proc/mounts")).trim().split("\n").map(parseMount);
    const lacking = mounts
      .filter(
        ({ path }) => path !== "/" && path !== "/usr/bin/svirt" && path !== "/usr/libexec/svirt-node/program",
      )
      .map(
        ({ options, path }) =>
          [path, ["noexec", "nosuid", "nodev"].filter((word) => !options.has(word))] as const,
      )
      .filter(([, words]) => words.length > 0);
    // Mounts that consist of devices.
    expect(lacking.toSorted()).toEqual([
      ["/dev", ["nodev"]],
      ["/dev/pts", ["nodev"]],
      ["/sys/fs/selinux", ["nodev"]],
    ]);
    const own = mounts.filter(({ path }) => path === "/" || path.includes("svirt-node/program"));
    expect(own.map(({ options }) => [options.has("ro"), options.has("nodev")])).toEqual([
      [true, true],
      [true, true],
    ]);
  });

  test("has every setting of sysctl.conf", async () => {
    const lines = (await Bun.file(SYSCTL).text()).split("\n").filter((line) => /^[a-z]/.test(line));
    expect(lines.length).toBeGreaterThan(20);
    const names = lines.map((line) => line.split(" = ")[0]);
    expect((await machine.run(`sysctl ${names.join(" ")}`)).trim().split("\n")).toEqual(lines);
  });

  test("has its kernel locked down: root reads no memory by /dev/mem, and loads no module that Debian has not signed", async () => {
    expect(await machine.run("cat /sys/kernel/security/lockdown")).toContain("[integrity]");
    expect((await machine.ask("head -c 1 /dev/mem")).err).toContain("Operation not permitted");
    // The signature is at the end of the file.
    const unsigned = "head -c -200 $(find /usr/lib/modules -name nbd.ko) >/root/x.ko && insmod /root/x.ko";
    expect((await machine.ask(unsigned)).err).toContain("Operation not permitted");
    expect(await machine.run("modprobe nbd && lsmod | grep -c '^nbd '")).toBe("1\n");
  });

  test("lets the kernel end a guest before svirt, sshd and the guest's reaper when memory runs out", async () => {
    await machine.run(withXml("svirt create -", guestXml("one", "qemu")));
    const scores = (await machine.run(SCORES)).trim().split("\n").toSorted();
    expect(scores).toEqual(["dropbear 0", "init 0", "qemu 500", "reaper 0"]);
  });

  test("feeds the watchdog that the hardware has", async () => {
    expect(
      await machine.run(
        "/usr/bin/getfattr --only-values -n security.selinux /dev/watchdog | grep -o watchdog_device_t; pidof watchdog >/dev/null && echo fed",
      ),
    ).toBe("watchdog_device_t\nfed\n");
  });

  test("logs to the serial console who has logged in, and denies nothing that it does by itself", async () => {
    expect(await machine.console()).toMatch(
      /authpriv\.notice dropbear\[\d+\]: Pubkey auth succeeded for 'root'/,
    );
    expect(
      await machine.run("grep -c 'Pubkey auth succeeded' /var/log/messages >/dev/null && echo kept"),
    ).toBe("kept\n");
    expect(await machine.run("dmesg | grep 'avc:  denied' | grep -v '/root/x.ko' || true")).toBe("");
  });
});

const SCORES = `score() { echo "$1 $(cat "/proc/$2/oom_score_adj")"; }
guest=$(cat /run/svirt/*/pid)
score qemu "$guest"
score reaper "$(sed -n 's/^PPid:\\t//p' "/proc/$guest/status")"
score dropbear "$(pidof dropbear | tr ' ' '\\n' | tail -n 1)"
score init 1`;

function parseMount(line: string): { readonly path: string; readonly options: ReadonlySet<string> } {
  const [, path = "", , options = ""] = line.split(" ");
  return { path, options: new Set(options.split(",")) };
}
