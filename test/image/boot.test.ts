import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { findFaults } from "../node/isolation/judge.ts";
import { makeAdversaryDisks, tryOnProduct } from "./adversary.ts";
import { asLine, bootByHttp, bootByTftp, CARD, directBoot } from "./boots.ts";
import { guestXml, withXml } from "./guest-xml.ts";
import { bootMachine, IMAGE, type Machine, type MakeBoot } from "./machine.ts";
import { expectPowerOff, expectTwoGuests } from "./two-guests.ts";

const whereBuilt = existsSync(`${IMAGE}/initrd`) ? describe : describe.skip;

whereBuilt("the product's image, booted as a kernel with its initrd", () => {
  let machine: Machine;
  beforeAll(async () => {
    machine = await bootMachine(
      directBoot(
        ({ admin, manager, reader }) =>
          `svirt.key=${admin} svirt.manager-key=${manager} svirt.reader-key=${reader}`,
      ),
    );
  }, 600_000);
  afterAll(async () => await machine.stop());

  test("enforces, with each process in a domain of its own and nothing but the kernel's threads in kernel_t", async () => {
    expect(await machine.run("cat /sys/fs/selinux/enforce")).toBe("1");
    const contexts = parseContexts(await machine.run(LIST_PROCESSES));
    const typesOf = (program: string) => [
      ...new Set(contexts.filter(({ name }) => name === program).map(({ type }) => type)),
    ];
    expect(typesOf("init")).toEqual(["init_t"]);
    expect(typesOf("dropbear")).toContain("sshd_t");
    expect(typesOf("syslogd")).toEqual(["syslogd_t"]);
    expect(typesOf("klogd")).toEqual(["klogd_t"]);
    expect(typesOf("udhcpc")).toEqual(["dhcpc_t"]);
    expect(contexts.filter(({ isKernel, type }) => !isKernel && type === "kernel_t")).toEqual([]);
  });

  test("lets nobody listen on the network but sshd, and denies nothing that it does by itself", async () => {
    const listening = await machine.run(
      "netstat -lntu | awk 'NR > 2 { sub(/.*:/, \"\", $4); print $1, $4 }' | sort -u",
    );
    expect(listening.trim()).toBe("tcp 22");
    expect(await machine.run("dmesg | grep 'avc:  denied' || true")).toBe("");
  });

  test("labels every file of the root as the policy says", async () => {
    const wrong = await machine.run(
      "getfattr -R -P -h -n security.selinux --absolute-names /usr /etc 2>/dev/null | grep -c -e unlabeled_t -e file_t:s0$ || true",
    );
    expect(wrong.trim()).toBe("0");
  });

  test("runs two guests, each in a level of its own, with KVM and without", async () => {
    await expectTwoGuests(machine, "kvm");
  });

  test("has keys that may run svirt alone, and only read", async () => {
    expect(await machine.ask("svirt list --name", "reader")).toEqual({
      code: 0,
      out: "one\ntwo\n",
      err: "",
    });
    for (const [command, why] of [
      ["svirt destroy one", "this key is read-only"],
      ["sh", "this key may run only svirt"],
      ["svirt list; reboot", "svirt runs no shell"],
      [undefined, "the client sent no command"],
    ] as const) {
      expect((await machine.ask(command, "reader")).err).toContain(why);
    }
    expect((await machine.ask("cat /etc/shadow", "manager")).code).toBe(5);
    expect(await machine.ask("svirt destroy 'one'", "manager")).toMatchObject({ code: 0, err: "" });
    expect(await machine.ask("svirt list --name", "manager")).toMatchObject({ out: "two\n" });
  });

  test("powers off cleanly, guests first", async () => {
    await expectPowerOff(machine);
  });
});

whereBuilt("the product's image boots, runs two guests, isolates them and powers off", () => {
  const flash = "if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd";
  const variables = "if=pflash,format=raw,snapshot=on,file=/usr/share/OVMF/OVMF_VARS_4M.fd";
  const firmware = ["-drive", flash, "-drive", variables];
  const cd = ["-drive", `if=none,id=cd,media=cdrom,readonly=on,format=raw,file=${IMAGE}/svirt-node.iso`];
  const drive = ["-device", "ide-cd,drive=cd,bootindex=0"];
  // Every machine has the CD's command line, so QEMU's firmware configuration passes the key.
  const told = (admin: string): readonly string[] => [
    ...["-fw_cfg", `name=opt/org.svirt/authorized_keys,string=${asLine(admin).trim()}`],
    ...["-fw_cfg", "name=opt/org.svirt/hostname,string=from-fw-cfg"],
  ];
  test("over the network, by iPXE and TFTP, told by a second initrd", async () => {
    await expectToBoot(bootByTftp, { hostname: "from-initrd", type: "kvm" });
  }, 600_000);

  test("over the network, by iPXE and HTTP alone", async () => {
    const fetched = new Set<string>();
    const servers: { stop(): unknown }[] = [];
    const offer = (folder: string): string => {
      const server = Bun.serve({
        hostname: "127.0.0.1",
        port: 0,
        fetch(request) {
          const path = new URL(request.url).pathname;
          fetched.add(path);
          return new Response(Bun.file(`${folder}${path}`));
        },
      });
      servers.push(server);
      return `http://10.0.2.2:${server.port}`;
    };
    try {
      await expectToBoot(bootByHttp(offer), { hostname: "from-initrd", type: "kvm" });
      expect([...fetched].toSorted()).toEqual(["/boot.ipxe", "/initrd", "/settings", "/vmlinuz"]);
    } finally {
      for (const server of servers) await server.stop();
    }
  }, 600_000);

  test("from a CD in a UEFI machine, told by fw_cfg", async () => {
    const boot: MakeBoot = ({ admin }) => ({
      words: [...firmware, ...cd, ...drive, ...CARD, ...told(admin)],
    });
    await expectToBoot(boot, { hostname: "from-fw-cfg", type: "kvm" });
  }, 600_000);

  test("from a CD in a BIOS machine with 512 MiB and no virtualization, and says that KVM is missing", async () => {
    const small = ["-m", "512", "-cpu", "max,svm=off"];
    const boot: MakeBoot = ({ admin }) => ({ words: [...cd, ...drive, ...CARD, ...told(admin), ...small] });
    await expectToBoot(boot, { hostname: "from-fw-cfg", type: "qemu" }, async (machine) => {
      const refused = await machine.ask(withXml("svirt create -", guestXml("one", "kvm")));
      expect([refused.code, refused.err]).toEqual([
        3,
        expect.stringContaining("Cannot pass /dev/kvm to the guest: it does not exist"),
      ]);
      expect((await machine.ask("svirt doctor")).out).toContain("guests of type kvm cannot start");
    });
  }, 600_000);
});

/**
 * Boots, inspects the machine, starts two guests, the first of this type, runs the adversary, and powers off.
 */
async function expectToBoot(
  boot: MakeBoot,
  { hostname, type }: { readonly hostname: string; readonly type: "kvm" | "qemu" },
  look?: (machine: Machine) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(`${tmpdir()}/svirt-adversary-`);
  const disks = await makeAdversaryDisks(folder);
  const machine = await bootMachine((keys, own) => {
    const { words, ...more } = boot(keys, own);
    return { words: [...words, ...disks], ...more };
  });
  try {
    expect(await machine.run("cat /sys/fs/selinux/enforce; hostname")).toBe(`1${hostname}\n`);
    await look?.(machine);
    await expectTwoGuests(machine, type);
    const run = type === "kvm" ? "kvm" : "tcg";
    const rows = await tryOnProduct(machine, [run], type);
    expect(findFaults(rows, [run])).toEqual([]);
    expect(rows.filter((row) => row.attempt.group !== "own").length).toBeGreaterThan(200);
    await expectPowerOff(machine);
  } finally {
    await machine.stop();
    rmSync(folder, { recursive: true });
  }
}

const LIST_PROCESSES = `for p in /proc/[0-9]*; do
  printf '%s %s %s\\n' "$(cat $p/comm | tr ' ' _)" "$(tr -d '\\0' <$p/attr/current)" "$([ -s $p/cmdline ] && echo user || (tr -d '\\0' <$p/cmdline | grep -q . && echo user || echo kernel))"
done 2>/dev/null`;

function parseContexts(text: string) {
  return text
    .trim()
    .split("\n")
    .map((line) => {
      const [name = "", context = "", kind] = line.split(" ");
      return { name, type: context.split(":")[2] ?? "", isKernel: kind === "kernel" };
    });
}
